// A TCP proxy that breaks connections as networks do.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

// A socket that has been ended cannot be reset: Node 20 would never close its handle, and turn for ever at its own end.
function reset(socket) {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/**
 * Forwards to a port of this machine.
 *   cut()          resets every connection, to both sides
 *   admit(open)    false: new connections are reset at once
 *   deafen()       the next WebSocket reaches the server, and hears nothing after its handshake
 *   swallow()      from now on nothing of the present connections arrives, and nobody is told
 */
export async function startProxy(port) {
  let open = true;
  let deaf = false;
  const pairs = new Set();
  const server = createServer((near) => {
    if (!open) {
      reset(near);
      return;
    }
    const far = connect(port, '127.0.0.1');
    const pair = { sockets: [near, far], silent: false, deaf: false };
    pairs.add(pair);
    const forward = (from, to) => {
      from.setNoDelay(true);
      from.on('data', (bytes) => {
        if (!pair.silent || (pair.deaf && from === near)) to.write(bytes);
        if (deaf && from === far && bytes.includes('101 Switching')) {
          deaf = false;
          pair.silent = pair.deaf = true;
        }
      });
      from.on('end', () => {
        if (!pair.silent) to.end();
      });
      from.on('error', () => {
        if (!pair.silent) reset(to);
      });
    };
    forward(near, far);
    forward(far, near);
    near.on('close', () => {
      if (far.destroyed) pairs.delete(pair);
    });
    far.on('close', () => {
      if (near.destroyed) pairs.delete(pair);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const cut = () => {
    for (const { sockets } of pairs) for (const socket of sockets) reset(socket);
  };
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut,
    admit: (wanted) => {
      open = wanted;
    },
    deafen: () => {
      deaf = true;
    },
    swallow: () => {
      for (const pair of pairs) pair.silent = true;
    },
    stop: async () => {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
