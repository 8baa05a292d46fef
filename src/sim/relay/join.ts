import type { Route } from '../../world/sockets.ts'
import type { World } from '../../world/world.ts'
import { type CredentialFiles, credentialFiles, type TokenOrder } from './credentials.ts'
import type { RelayPeer } from './peer.ts'

/** Credentials for a stream of any relay, simulated or real. */
export function credentialsOf(
  world: World,
  relay: RelayPeer,
  stream: string,
  order: Partial<TokenOrder> = {}
): CredentialFiles {
  const nowMs = world.clock.wallUs() / 1000
  return credentialFiles(stream, { secret: relay.secret, audience: relay.accessUrl, nowMs, ...order })
}

/**
 * Asks for a code as a lab page does, and gives the websocket's URL.
 * @throws when the answer is no code
 */
export async function codeUrl(
  world: World,
  credentials: { accessUrl: string; token: string },
  route: Route = {}
): Promise<string> {
  const answer = await world.sockets.request(credentials.accessUrl, {
    ...route,
    method: 'POST',
    headers: { Authorization: credentials.token },
    timeoutMs: 10_000
  })
  if (answer.status !== 200) throw new Error(`the relay answered ${answer.status}`)
  return (JSON.parse(answer.body) as { uri: string }).uri
}
