// ALTCHA's puzzle, version 2: which counter gives a SHA-256 that begins as asked?
// Resolves to what the server wants to see, or to "" where the browser can't
// (crypto.subtle is there on https and on this machine only).
const AT_ONCE = 200, LAST = 4e6;

function unhex(text) {
  return Uint8Array.from(text.match(/../g), (two) => parseInt(two, 16));
}

async function solve(challenge) {
  const { nonce, salt, keyPrefix } = challenge.parameters;
  const wanted = unhex(keyPrefix);
  const data = unhex(salt + nonce + "00000000");
  const counter = new DataView(data.buffer, data.length - 4);
  for (let start = 0; globalThis.crypto?.subtle && start < LAST; start += AT_ONCE) {
    const keys = [];
    for (let at = start; at < start + AT_ONCE; at++) {
      counter.setUint32(0, at);
      keys.push(crypto.subtle.digest("SHA-256", data.slice()));
    }
    for (const [at, key] of (await Promise.all(keys)).entries()) {
      const found = new Uint8Array(key);
      if (wanted.every((byte, place) => found[place] === byte)) {
        const derivedKey = Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("");
        return btoa(JSON.stringify({ challenge, solution: { counter: start + at, derivedKey } }));
      }
    }
  }
  return "";
}
