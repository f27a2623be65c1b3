// The peer of the measurement: oidc-provider with everything in memory, as it runs in production. It writes its port and reads
// its own address; whoever comes is let in at once under the name the header x-person says.
import { createServer } from 'node:http'
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'

const [redirect, secret, jwk] = process.argv.slice(2)
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
let answer
const server = createServer((request, response) => answer(request, response))
server.keepAliveTimeout = 120_000
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
process.stdout.write(`${server.address().port}\n`)
const issuer = (await lines.next()).value

/** Everything in memory, as its own adapter keeps it, but for the thousand entries after which that one forgets sessions. */
const kept = new Map()
const grants = new Map()
class Memory {
    constructor(name) {
        this.name = name
    }
    key(id) {
        return `${this.name}:${id}`
    }
    async upsert(id, payload) {
        kept.set(this.key(id), payload)
        if (payload.uid) kept.set(`uid:${payload.uid}`, this.key(id))
        if (payload.grantId) {
            if (!grants.has(payload.grantId)) grants.set(payload.grantId, [])
            grants.get(payload.grantId).push(this.key(id))
        }
    }
    async find(id) {
        return kept.get(this.key(id))
    }
    async findByUid(uid) {
        return kept.get(kept.get(`uid:${uid}`))
    }
    async consume(id) {
        kept.get(this.key(id)).consumed = Math.floor(Date.now() / 1000)
    }
    async destroy(id) {
        kept.delete(this.key(id))
    }
    async revokeByGrantId(grant) {
        for (const key of grants.get(grant) ?? []) kept.delete(key)
        grants.delete(grant)
    }
}

const { privateKey } = await generateKeyPair('ES256', { extractable: true })
const common = { redirect_uris: [redirect], id_token_signed_response_alg: 'ES256' }
const provider = new Provider(issuer, {
    adapter: Memory,
    clients: [
        { ...common, client_id: 'caisse', client_secret: secret },
        {
            ...common,
            client_id: 'strict',
            token_endpoint_auth_method: 'private_key_jwt',
            token_endpoint_auth_signing_alg: 'ES256',
            jwks: { keys: [JSON.parse(jwk)] },
            dpop_bound_access_tokens: true,
        },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    claims: { openid: ['sub'], given_name: ['given_name'], family_name: ['family_name'] },
    features: { devInteractions: { enabled: false }, dPoP: { enabled: true }, pushedAuthorizationRequests: { enabled: true } },
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, given_name: 'Rose', family_name: 'Martin' }) }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
})
const callback = provider.callback()
answer = async (request, response) => {
    if (!request.url.startsWith('/interaction/')) {
        return callback(request, response)
    }
    const { prompt, params, session } = await provider.interactionDetails(request, response)
    if (prompt.name === 'login') {
        return provider.interactionFinished(request, response, { login: { accountId: request.headers['x-person'] } })
    }
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
    grant.addOIDCScope(params.scope)
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
}
process.stdout.write('ready\n')
await lines.next()
process.exit(0)
