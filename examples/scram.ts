/**
 * The client's part of SCRAM-SHA-256 (RFC 5802 and RFC 7677): a proof to know a password that does not show it.
 *
 *     client   n,,n=,r=nonce
 *     server   r=nonce and more,s=salt,i=iterations
 *     client   c=biws,r=nonce and more,p=proof
 *     server   v=its own proof
 *
 * @module
 */

const utf8 = new TextEncoder();

/** The value of a message's attribute. */
function attribute(message: string, name: string): string {
  const found = message.split(",").find((one) => one.startsWith(`${name}=`));
  if (found === undefined) throw new Error(`The server says no ${name}`);
  return found.slice(name.length + 1);
}

async function hmac(
  secret: BufferSource,
  message: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const sha256 = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, sha256, false, [
    "sign",
  ]);
  const signature = await crypto.subtle.sign("HMAC", key, utf8.encode(message));
  return new Uint8Array(signature);
}

/** One such proof, step by step. */
export class Scram {
  #password: string;
  #nonce = crypto.getRandomValues(new Uint8Array(18)).toBase64();
  #expected = "";

  /** Begins. */
  constructor(password: string) {
    this.#password = password;
  }

  /** What the client says first. */
  get first(): string {
    return `n,,n=,r=${this.#nonce}`;
  }

  /** What it answers to the server's challenge. */
  async answer(challenge: string): Promise<string> {
    const nonce = attribute(challenge, "r");
    if (!nonce.startsWith(this.#nonce)) throw new Error("The nonce is another");
    const password = utf8.encode(this.#password.normalize("NFKC"));
    const pbkdf2 = {
      name: "PBKDF2",
      hash: "SHA-256",
      salt: Uint8Array.fromBase64(attribute(challenge, "s")),
      iterations: Number(attribute(challenge, "i")),
    };
    const secret = await crypto.subtle.deriveBits(
      pbkdf2,
      await crypto.subtle.importKey("raw", password, "PBKDF2", false, [
        "deriveBits",
      ]),
      256,
    );
    const answer = `c=biws,r=${nonce}`;
    const all = `${this.first.slice(3)},${challenge},${answer}`;
    const clientKey = await hmac(secret, "Client Key");
    const stored = await crypto.subtle.digest("SHA-256", clientKey);
    const signature = await hmac(stored, all);
    const proof = clientKey.map((byte, i) => byte ^ signature[i]);
    const serverKey = await hmac(secret, "Server Key");
    this.#expected = (await hmac(serverKey, all)).toBase64();
    return `${answer},p=${proof.toBase64()}`;
  }

  /** Throws unless the server has proved that it knows the password too. */
  check(end: string): void {
    if (this.#expected === "" || attribute(end, "v") !== this.#expected) {
      throw new Error("The server does not know the password itself");
    }
  }
}
