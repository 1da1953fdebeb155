// @ts-check
/** What the files of the library say to each other and to the application. Types only. */

/**
 * One connection of a member.
 * @typedef {{peer_id: string, join_seq: number}} PeerRef
 *
 * away: the server waits for him to come back; his media may go on.
 * @typedef {{
 *   user_id: string, username: string, role?: string, joined_at?: string, peers?: PeerRef[],
 *   away?: boolean,
 * }} Participant
 *
 * @typedef {{user_id: string, peer_id: string, join_seq: number, role: string}} Self
 *
 * As GET /webrtc/config answers it; a room-state and `ice-servers` may have some of it.
 * @typedef {{
 *   ice_servers?: RTCIceServer[], ice_transport_policy?: RTCIceTransportPolicy,
 *   bundle_policy?: RTCBundlePolicy, rtcp_mux_policy?: RTCRtcpMuxPolicy,
 * }} IceSettings
 *
 * last_id: of one's own messages, the last that the server took.
 * @typedef {{id: string, resume_token: string, expires_in: number, last_id?: number}} SessionInfo
 *
 * resumed: only in the answer to a wish to resume.
 * @typedef {{
 *   room_id: string, participants: Participant[], participant_count: number, self: Self,
 *   revision?: number, session?: SessionInfo, resumed?: boolean,
 * } & IceSettings} RoomState
 *
 * @typedef {{
 *   type: string, payload: Record<string, any>, sender_id: string | null, room_id: string | null,
 *   timestamp: string | null, seq?: number, sender_peer_id?: string | null,
 * }} Frame
 *
 * @typedef {{
 *   type: string, payload: Record<string, unknown>, target_id?: string, id?: number,
 * }} SentFrame
 *
 * @typedef {{user_id: string, username: string, peer_id: string, join_seq: number}} PeerInfo
 *
 * @typedef {{code: string, message: string, details?: any, source: 'server' | 'client'}} Problem
 *
 * open: the socket is up, the room-state is not here yet; waiting: for the next attempt; closed:
 * for good, or until `connect()`.
 * @typedef {'idle' | 'connecting' | 'open' | 'joined' | 'waiting' | 'closed'} State
 *
 * @typedef {{
 *   state: State, previous: State, attempt: number, code?: number, reason?: string,
 *   retryInMs?: number,
 * }} StateChange
 *
 * A message of one's own that the server did not acknowledge. written: it went to a socket, so that
 * it may have arrived all the same.
 * @typedef {{
 *   type: string, payload: Record<string, unknown>, target?: string, written: boolean,
 * }} UnsentMessage
 *
 * @typedef {{user_id: string, revision?: number, timestamp: string}} Presence
 *
 * `joined`, `left`, `away` and `back` are of users, `peer-…` of each of their connections, the
 * first and the last included; `message` is every frame that has no event of its own; `frame`
 * every frame, both ways.
 *
 * `resumed` comes after the `room-state` of a connection that is back under its old peer_id, and
 * before the frames that were missed; complete: they all follow, once and in order. While they do,
 * `members` is as in the room-state, and `joined`, `left`, `away`, `back` tell what led to it.
 * @typedef {{
 *   state: StateChange,
 *   'room-state': RoomState,
 *   resumed: {complete: boolean},
 *   joined: Participant,
 *   left: {user_id: string, username: string, reason?: string},
 *   away: Presence,
 *   back: Presence,
 *   'peer-joined': PeerInfo,
 *   'peer-left': PeerInfo,
 *   message: Frame,
 *   frame: {direction: 'in', at: Date, frame: Frame}
 *     | {direction: 'out', at: Date, frame: SentFrame},
 *   unsent: {reason: 'new-session' | 'closed', messages: UnsentMessage[]},
 *   error: Problem,
 * }} LunasigEvents
 */

export {};
