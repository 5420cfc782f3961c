/**
 * The memory that the connections of a server share: bytes that were received and are no frame yet, and bytes
 * that wait to be sent.
 *
 *            0                      half                     limit
 *     used   |  everybody goes on    |  those with their share  |  one at a time, so that
 *            |                       |  or less, and one more   |  a frame ends
 *
 * To go on is to read more of a frame that has begun. A connection that may not is paused: what its peer sends
 * waits in the system, then at the peer. Those that are paused go on in the order in which they were.
 *
 * @module
 */

/** What one connection holds. */
export class Account implements Disposable {
  #budget: MemoryBudget;
  #received = 0;
  #queued = 0;
  #closed = false;
  #turn: PromiseWithResolvers<void> | undefined;
  /** Whether it waits inside a frame, and what it holds is of no use to anybody before that ends. */
  insideFrame = false;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** How many bytes it holds. */
  get usage(): number {
    return this.#received + this.#queued;
  }

  /** Whether there is so little room that it may have to wait. */
  get tight(): boolean {
    return this.#budget.tight;
  }

  /** Whether others wait for it to give back what it holds. */
  get hurried(): boolean {
    return this.#budget.hurries(this);
  }

  /** Whether it waits for its turn. */
  get paused(): boolean {
    return this.#turn !== undefined;
  }

  /** Says how many bytes were received and are part of no frame that was handed out. */
  holdReceived(count: number): void {
    const change = count - this.#received;
    if (change === 0 || this.#closed) return;
    this.#received = count;
    this.#budget.change(change);
    if (change < 0) this.#budget.endExemption(this);
  }

  /** Says how many bytes wait to be sent. */
  holdQueued(count: number): void {
    const change = count - this.#queued;
    if (change === 0 || this.#closed) return;
    this.#queued = count;
    this.#budget.changeQueued(change, count);
  }

  /**
   * Asks whether another answer may be made, which is going to wait to be sent.
   *
   * @returns `undefined` if it may; otherwise a promise that is fulfilled when it is time to ask again.
   */
  answerTurn(): Promise<void> | undefined {
    return this.#closed ? undefined : this.#budget.answerTurn(this);
  }

  /**
   * Asks whether the connection may go on with what it has just read.
   *
   * @param insideFrame Whether a frame had begun before.
   * @returns `undefined` if it may; otherwise a promise that is fulfilled when it may.
   */
  turn(insideFrame: boolean): Promise<void> | undefined {
    if (this.#turn !== undefined) return this.#turn.promise;
    this.insideFrame = insideFrame;
    if (this.#budget.admits(this)) return undefined;
    this.#turn = Promise.withResolvers<void>();
    this.#budget.pause(this);
    return this.#turn.promise;
  }

  /** Its turn has come. */
  goOn(): void {
    this.#turn?.resolve();
    this.#turn = undefined;
  }

  /** Gives everything back. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#budget.close(this);
    this.#closed = true;
    this.goOn();
  }
}

/** Owns the count of what all connections of a server hold, and the queues of those that are paused. */
export class MemoryBudget {
  /** How many bytes there are. */
  readonly limit: number;
  #used = 0;
  #peak = 0;
  #longestQueue = 0;
  /** How many of the bytes wait to be sent. */
  #queued = 0;
  /** What those wait for that may not answer. */
  #room: PromiseWithResolvers<void> | undefined;
  #accounts = 0;
  #pauses = 0;
  /** Those that had no more than their share when they were paused, and the others. */
  #modest = new Set<Account>();
  #greedy = new Set<Account>();
  /** Those of both whose frame has begun. */
  #begun = new Set<Account>();
  /** The one that goes on although there is little room, until a frame of it was handed out. */
  #exempt: Account | undefined;

  /**
   * Makes a budget of which nobody has taken.
   *
   * @param limit How many bytes there are.
   */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** How many bytes are held. */
  get used(): number {
    return this.#used;
  }

  /** The most that ever were. */
  get peak(): number {
    return this.#peak;
  }

  /** The most that ever waited to be sent on one connection. */
  get longestQueue(): number {
    return this.#longestQueue;
  }

  /** How often a connection was paused. */
  get pauses(): number {
    return this.#pauses;
  }

  /** Whether there is so little room that some may have to wait. */
  get tight(): boolean {
    return this.#used >= this.limit / 2;
  }

  /** Whether all of it is used. */
  get full(): boolean {
    return this.#used >= this.limit;
  }

  /** Opens an account for another connection. */
  open(): Account {
    this.#accounts++;
    return new Account(this);
  }

  /** Takes note that an account holds more, or less. */
  change(bytes: number): void {
    const { full } = this;
    this.#used += bytes;
    if (this.#used > this.#peak) this.#peak = this.#used;
    if (bytes < 0) this.#wake();
    if (full && !this.full) this.#askAgain();
  }

  /** Takes note that more of an account waits to be sent, or less. */
  changeQueued(bytes: number, queued: number): void {
    this.#queued += bytes;
    if (queued > this.#longestQueue) this.#longestQueue = queued;
    this.change(bytes);
    if (bytes > 0) return;
    if (!this.full || this.#queued < this.limit / 2) this.#askAgain();
  }

  /** Says when an account should ask again, if it may not answer: what waits to be sent leaves, or is timed out. */
  answerTurn(account: Account): Promise<void> | undefined {
    if (this.#queued < this.limit / 2) return undefined;
    if (this.#used < this.limit && this.#isModest(account)) return undefined;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  /** Whether an account may go on. */
  admits(account: Account): boolean {
    if (!this.tight || account === this.#exempt) return true;
    return this.#isModest(account) && this.#used < this.limit ||
      this.#exempts(account);
  }

  /** Puts an account behind those that are paused. */
  pause(account: Account): void {
    this.#pauses++;
    (this.#isModest(account) ? this.#modest : this.#greedy).add(account);
    if (account.insideFrame) this.#begun.add(account);
  }

  /** Takes note that a frame of an account was handed out: if it was exempt, another may be. */
  endExemption(account: Account): void {
    if (this.#exempt !== account) return;
    this.#exempt = undefined;
    this.#wake();
  }

  /** Whether others wait for an account to give back what it holds: all others, or those behind it. */
  hurries(account: Account): boolean {
    return this.full || account === this.#exempt && this.#paused() > 0;
  }

  /** Closes an account. */
  close(account: Account): void {
    this.#accounts--;
    this.#leave(account);
    account.holdQueued(0);
    account.holdReceived(0);
    this.endExemption(account);
    this.#askAgain(); // everybody's share has grown
  }

  /** Whether an account holds no more than what is each one's when there is little room. */
  #isModest({ usage }: Account): boolean {
    return usage <= this.limit / 2 / this.#accounts;
  }

  /** Exempts an account if nobody is; at the limit, only what is inside a frame is helped by going on. */
  #exempts(account: Account): boolean {
    if (this.#exempt !== undefined) return false;
    if (this.#used >= this.limit && !account.insideFrame) return false;
    this.#exempt = account;
    return true;
  }

  /** How many are paused. */
  #paused(): number {
    return this.#modest.size + this.#greedy.size;
  }

  /** Lets those that are paused go on while there is room, or else the first one that can be exempt. */
  #wake(): void {
    if (this.#exempt === undefined && this.#paused() === 0) return; // as a rule
    if (!this.full) this.#release(this.#modest);
    if (!this.tight) {
      this.#exempt = undefined;
      this.#release(this.#greedy);
    } else if (this.#exempt === undefined) {
      const [first] = this.full ? this.#begun : this.#greedy;
      if (first !== undefined && this.#exempts(first)) this.#letGo(first);
    }
  }

  /** Has those that may not answer ask again, one after another. */
  #askAgain(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #release(paused: Set<Account>): void {
    for (const account of paused) this.#letGo(account);
  }

  #letGo(account: Account): void {
    this.#leave(account);
    account.goOn();
  }

  #leave(account: Account): void {
    this.#modest.delete(account);
    this.#greedy.delete(account);
    this.#begun.delete(account);
  }
}
