// A service that uses openid-client, checks of ID token signatures on. It talks with the test that started it by lines of
// JSON: each line it writes asks for something, each line it reads is the answer.
import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import * as client from 'openid-client'
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose'

const [issuer] = process.argv.slice(2)
const REDIRECT = 'https://service.example/callback'
const AFTER = 'https://service.example/after'
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function ask(wish) {
    process.stdout.write(`${JSON.stringify(wish)}\n`)
    const { value } = await lines.next()
    return JSON.parse(value)
}

/** Where a browser in which an aidant is signed in is sent after the choice. */
async function visit(url, how = {}) {
    return ask({ visit: url.href, ...how })
}

async function passes(name, check) {
    await check()
    await ask({ passed: name })
}

/** Registers a service; gives its configuration. */
async function service(id, registration, auth, ...more) {
    const { metadata, ...wish } = registration
    await ask({ register: { id, redirect_uris: [REDIRECT], post_logout_redirect_uris: [AFTER], ...wish } })
    const config = await client.discovery(new URL(issuer), id, metadata, auth)
    client.enableNonRepudiationChecks(config)
    return config
}

/** The parameters of a request, and what its answer is checked against. */
async function asked(more = {}) {
    const checks = {
        pkceCodeVerifier: client.randomPKCECodeVerifier(),
        expectedState: client.randomState(),
        expectedNonce: client.randomNonce(),
        idTokenExpected: true,
    }
    const parameters = {
        redirect_uri: REDIRECT,
        scope: 'openid given_name birthdate',
        code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
        code_challenge_method: 'S256',
        state: checks.expectedState,
        nonce: checks.expectedNonce,
        ...more,
    }
    return { checks, parameters }
}

/** A whole flow; gives what was answered at the token endpoint, and the callback. */
async function flow(config, { parameters = {}, checks = {}, how, dpop } = {}) {
    const request = await asked(parameters)
    const url = client.buildAuthorizationUrl(config, request.parameters)
    const sent = await visit(url, how)
    assert.ok(sent.location, `${sent.status}`)
    const callback = new URL(sent.location)
    const tokens = await client.authorizationCodeGrant(config, callback, { ...request.checks, ...checks }, undefined, dpop)
    return { tokens, callback, request }
}

async function refused(promise, error) {
    await assert.rejects(promise, (thrown) => {
        assert.equal(thrown.error ?? thrown.cause?.error ?? thrown.code, error, String(thrown.stack))
        return true
    })
}

const SECRET = 'a-secret-of-the-service-0123456789'
const withKey = (pair, kid) => client.PrivateKeyJwt({ key: pair.privateKey, kid })
const published = async (pair, alg) => {
    const jwk = { ...(await exportJWK(pair.publicKey)), alg, use: 'sig' }
    return { ...jwk, kid: await calculateJwkThumbprint(jwk) }
}

const basic = await service('basic', { profile: 'oidc', auth_method: 'client_secret_basic', secret: SECRET }, client.ClientSecretBasic(SECRET))

await passes('client_secret_basic', async () => {
    const { tokens } = await flow(basic)
    const claims = tokens.claims()
    assert.equal(claims.iss, issuer)
    assert.ok(claims.act.sub, 'who acts')
    const told = await client.fetchUserInfo(basic, tokens.access_token, claims.sub)
    assert.deepEqual(told, { sub: claims.sub, given_name: 'Rose', birthdate: '1942-02-28' })
})

await passes('client_secret_post', async () => {
    const post = await service('post', { profile: 'oidc', auth_method: 'client_secret_post', secret: SECRET }, client.ClientSecretPost(SECRET))
    await flow(post)
})

await passes('private_key_jwt', async () => {
    const pair = await generateKeyPair('ES256')
    const jwk = await published(pair, 'ES256')
    const registration = { profile: 'oidc', auth_method: 'private_key_jwt', jwks: { keys: [jwk] } }
    const config = await service('key', registration, withKey(pair, jwk.kid))
    await flow(config)
    const other = await generateKeyPair('ES256')
    const thief = await client.discovery(new URL(issuer), 'key', undefined, withKey(other, jwk.kid))
    await refused(flow(thief), 'invalid_client')
})

await passes('PS256 and EdDSA', async () => {
    for (const alg of ['PS256', 'EdDSA']) {
        const registration = { profile: 'oidc', auth_method: 'client_secret_basic', secret: SECRET, id_token_alg: alg, userinfo: 'jwt' }
        const metadata = { id_token_signed_response_alg: alg, userinfo_signed_response_alg: alg }
        const config = await service(alg.toLowerCase(), { ...registration, metadata }, client.ClientSecretBasic(SECRET))
        const { tokens } = await flow(config)
        assert.equal(decodeProtectedHeader(tokens.id_token).alg, alg)
        const told = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
        assert.equal(told.given_name, 'Rose')
    }
    const other = await client.discovery(new URL(issuer), 'ps256', { id_token_signed_response_alg: 'ES256' }, client.ClientSecretBasic(SECRET))
    await assert.rejects(flow(other), 'another algorithm than registered')
})

await passes('max_age', async () => {
    const within = (seconds, how) => flow(basic, { parameters: { max_age: `${seconds}` }, checks: { maxAge: seconds }, how })
    const first = (await within(600)).tokens.claims().auth_time
    assert.equal((await within(600, { later: 2 })).tokens.claims().auth_time, first, 'recent enough')
    assert.ok((await within(1)).tokens.claims().auth_time > first, 'asked to sign in again')
})

await passes('prompt', async () => {
    const before = await flow(basic)
    const anew = await flow(basic, { parameters: { prompt: 'login' } })
    assert.ok(anew.tokens.claims().auth_time >= before.tokens.claims().auth_time)
    const silent = await flow(basic, { parameters: { prompt: 'none' } })
    assert.equal(silent.tokens.claims().sub, anew.tokens.claims().sub)
    await refused(flow(basic, { parameters: { prompt: 'none' }, how: { stranger: true } }), 'login_required')
})

await passes('code replay', async () => {
    const { tokens, callback, request } = await flow(basic)
    await refused(client.authorizationCodeGrant(basic, callback, request.checks), 'invalid_grant')
    const used = client.fetchUserInfo(basic, tokens.access_token, tokens.claims().sub)
    await assert.rejects(used, (thrown) => thrown.status === 401, 'the replay ended what the code had given')
})

await passes('wrong verifier', async () => {
    await refused(flow(basic, { checks: { pkceCodeVerifier: client.randomPKCECodeVerifier() } }), 'invalid_grant')
})

await passes('unregistered redirect', async () => {
    const { parameters } = await asked({ redirect_uri: `${REDIRECT}/more` })
    const sent = await visit(client.buildAuthorizationUrl(basic, parameters))
    assert.deepEqual([sent.status, sent.location], [400, null], 'a page, never a redirection')
})

await passes('introspection and revocation', async () => {
    const { tokens } = await flow(basic)
    const told = await client.tokenIntrospection(basic, tokens.access_token)
    assert.deepEqual([told.active, told.sub, told.client_id], [true, tokens.claims().sub, 'basic'])
    await client.tokenRevocation(basic, tokens.access_token)
    assert.deepEqual(await client.tokenIntrospection(basic, tokens.access_token), { active: false })
})

await passes('refresh', async () => {
    const registration = { profile: 'oidc', auth_method: 'client_secret_basic', secret: SECRET, refresh: 'within_representation' }
    const config = await service('long', registration, client.ClientSecretBasic(SECRET))
    const { tokens } = await flow(config)
    const again = await client.refreshTokenGrant(config, tokens.refresh_token, { scope: 'openid given_name' })
    assert.deepEqual([again.claims().sub, again.claims().auth_time], [tokens.claims().sub, tokens.claims().auth_time])
    const told = await client.fetchUserInfo(config, again.access_token, again.claims().sub)
    assert.deepEqual(told, { sub: again.claims().sub, given_name: 'Rose' })
    await refused(client.refreshTokenGrant(basic, tokens.refresh_token), 'unauthorized_client')
})

await passes('logout', async () => {
    const { tokens } = await flow(basic)
    const state = client.randomState()
    const parameters = { post_logout_redirect_uri: AFTER, id_token_hint: tokens.id_token, state }
    const sent = await visit(client.buildEndSessionUrl(basic, parameters))
    assert.equal(sent.location, `${AFTER}?state=${state}`)
    await refused(flow(basic, { parameters: { prompt: 'none' } }), 'account_selection_required')
})

const pair = await generateKeyPair('PS256', { modulusLength: 2048 })
const jwk = await published(pair, 'PS256')
const strict = await service(
    'strict',
    { profile: 'fapi2', auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
    withKey(pair, jwk.kid),
)

await passes('PAR with DPoP nonce and PS256', async () => {
    const nonces = []
    strict[client.customFetch] = (url, options) => {
        const proof = new Headers(options.headers).get('dpop')
        if (proof) nonces.push(decodeJwt(proof).nonce)
        return fetch(url, options)
    }
    const handle = client.getDPoPHandle(strict, await client.randomDPoPKeyPair('PS256'))
    const dpop = { DPoP: handle }
    const { checks, parameters } = await asked()
    const url = await client.buildAuthorizationUrlWithPAR(strict, parameters, dpop)
    assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri'])
    const callback = new URL((await visit(url)).location)
    const tokens = await client.authorizationCodeGrant(strict, callback, checks, undefined, dpop)
    assert.equal(tokens.token_type, 'dpop')
    assert.equal(nonces.length, 2)
    assert.deepEqual([nonces[0], typeof nonces[1]], [undefined, 'string'], 'the nonce we gave it at PAR')
    const claims = tokens.claims()
    await client.fetchUserInfo(strict, tokens.access_token, claims.sub, dpop)
    const other = { DPoP: client.getDPoPHandle(strict, await client.randomDPoPKeyPair('PS256')) }
    const stolen = client.fetchUserInfo(strict, tokens.access_token, claims.sub, other)
    await assert.rejects(stolen, (thrown) => thrown.status === 401, 'bound to the key')
})

await passes('JAR with JARM', async () => {
    const signer = await generateKeyPair('ES256')
    const key = await published(signer, 'ES256')
    const registration = {
        profile: 'fapi2',
        auth_method: 'private_key_jwt',
        jwks: { keys: [key] },
        request_objects: 'demanded',
        metadata: { authorization_signed_response_alg: 'ES256' },
    }
    const config = await service('signing', registration, withKey(signer, key.kid))
    client.useJwtResponseMode(config)
    const dpop = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) }
    const { checks, parameters } = await asked()
    const unsigned = client.buildAuthorizationUrlWithPAR(config, parameters, dpop)
    await refused(unsigned, 'invalid_request')
    const signing = await client.buildAuthorizationUrlWithJAR(config, parameters, { key: signer.privateKey, kid: key.kid })
    const url = await client.buildAuthorizationUrlWithPAR(config, signing.searchParams, dpop)
    const callback = new URL((await visit(url)).location)
    assert.deepEqual([...callback.searchParams.keys()], ['response'])
    const tokens = await client.authorizationCodeGrant(config, callback, checks, undefined, dpop)
    await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, dpop)
    const forged = new URL(callback)
    forged.searchParams.set('response', callback.searchParams.get('response').slice(0, -4) + 'AAAA')
    await assert.rejects(client.authorizationCodeGrant(config, forged, checks, undefined, dpop), 'its signature is checked')
})

process.exit(0)
