// A provider that agents sign in at: oidc-provider. It writes its port, reads its own address as others know it, and lets
// in whoever the header x-person names.
import { createServer } from 'node:http'
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'

const [redirect, secret] = process.argv.slice(2)
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
let answer = (_, response) => response.writeHead(503).end()
const server = createServer((request, response) => answer(request, response))
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
process.stdout.write(`${server.address().port}\n`)
const issuer = (await lines.next()).value

/** The agents, by what their browsers call themselves. */
const agents = {
    nora: { given_name: 'Nora', usual_name: 'Le Goff', email: 'nora.legoff@mediatheque.example', siret: '21940038500017' },
    personne: { given_name: 'Personne', usual_name: 'D’Ailleurs', email: 'personne@ailleurs.example', siret: '13002526500013' },
}

/** A provider with keys of its own; each call is a rotation. */
async function opened() {
    const keys = []
    for (const alg of ['ES256', 'RS256']) {
        const { privateKey } = await generateKeyPair(alg, { extractable: true })
        keys.push({ ...(await exportJWK(privateKey)), alg, use: 'sig', kid: randomBytes(8).toString('hex') })
    }
    const provider = new Provider(issuer, {
        clients: [
            {
                client_id: 'porteplume',
                client_secret: secret,
                redirect_uris: [redirect],
                token_endpoint_auth_method: 'client_secret_post',
                id_token_signed_response_alg: 'ES256',
                userinfo_signed_response_alg: 'ES256',
            },
        ],
        jwks: { keys },
        cookies: { keys: [randomBytes(32).toString('hex')] },
        claims: { openid: ['sub'], given_name: ['given_name'], usual_name: ['usual_name'], email: ['email'], siret: ['siret'] },
        acrValues: ['eidas1', 'eidas2'],
        features: { devInteractions: { enabled: false }, jwtUserinfo: { enabled: true }, claimsParameter: { enabled: true } },
        pkce: { required: () => true },
        findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...agents[id] }) }),
        interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    })
    provider.proxy = true
    const callback = provider.callback()
    answer = async (request, response) => {
        if (request.url === '/rotate') {
            await opened()
            return response.writeHead(204).end()
        }
        if (!request.url.startsWith('/interaction/')) {
            return callback(request, response)
        }
        const { prompt, params, session } = await provider.interactionDetails(request, response)
        if (prompt.name === 'login') {
            const [accountId, acr] = request.headers['x-person'].split(' ')
            return provider.interactionFinished(request, response, { login: { accountId, acr, amr: ['pwd', 'otp', 'mfa'] } })
        }
        const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
        grant.addOIDCScope(params.scope)
        grant.addOIDCClaims(['given_name', 'usual_name', 'email', 'siret'])
        return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
    }
}

await opened()
process.stdout.write('ready\n')
await lines.next()
process.exit(0)
