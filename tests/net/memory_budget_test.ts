/**
 * The memory that connections share: who may go on, who waits, and in which order.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Account, MemoryBudget } from "../../lib/net/memory_budget.ts";
import { Random } from "../support/random.ts";

/** A budget of 1000 bytes with so many accounts. */
function budgetOf(accounts: number): [MemoryBudget, ...Account[]] {
  const budget = new MemoryBudget(1000);
  return [budget, ...Array.from({ length: accounts }, () => budget.open())];
}

/** Whether an account may go on with what it holds now. */
function goesOn(account: Account, insideFrame = false): boolean {
  return account.turn(insideFrame) === undefined;
}

Deno.test("MemoryBudget counts what is held, the most of it, and the longest queue", () => {
  const [budget, one, other] = budgetOf(2);
  assertEquals([budget.used, budget.peak, budget.longestQueue], [0, 0, 0]);
  one.holdReceived(100);
  one.holdQueued(30);
  other.holdQueued(40);
  assertEquals([one.usage, other.usage], [130, 40]);
  assertEquals([budget.used, budget.peak, budget.longestQueue], [170, 170, 40]);
  one.holdReceived(20);
  other.holdQueued(0);
  assertEquals([budget.used, budget.peak, budget.longestQueue], [50, 170, 40]);
  one[Symbol.dispose]();
  assertEquals([budget.used, budget.peak, budget.longestQueue], [0, 170, 40]);
});

Deno.test("Account that is closed gives back once what it held, and holds nothing more", () => {
  const [budget, one, other] = budgetOf(2);
  other.holdReceived(1);
  one.holdReceived(100);
  one.holdQueued(30);
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  one.holdReceived(5);
  one.holdQueued(5);
  assertEquals([budget.used, one.usage], [1, 0]);
});

Deno.test("MemoryBudget is tight from half of it on, and full from the limit on", () => {
  const [budget, one] = budgetOf(1);
  for (
    const [held, tight, full] of [
      [0, false, false],
      [499, false, false],
      [500, true, false],
      [999, true, false],
      [1000, true, true],
      [5000, true, true],
      [499, false, false],
    ] as const
  ) {
    one.holdReceived(held);
    assertEquals([budget.tight, budget.full], [tight, full], `${held} bytes`);
    assertEquals(one.tight, tight);
  }
});

Deno.test("MemoryBudget without a limit is never tight", () => {
  const budget = new MemoryBudget(Infinity);
  const account = budget.open();
  account.holdReceived(2 ** 50);
  assert(!budget.tight && !budget.full && goesOn(account, true));
});

Deno.test("MemoryBudget lets everybody go on while half of it is free", () => {
  const [budget, one, other] = budgetOf(2);
  one.holdReceived(499);
  assert(goesOn(one) && goesOn(one, true) && goesOn(other));
  assertEquals(budget.pauses, 0);
});

Deno.test("MemoryBudget lets those with an equal share of half go on until the limit", () => {
  const [budget, one, modest, exempt, greedy] = budgetOf(4);
  one.holdQueued(500); // and does not read
  modest.holdReceived(125);
  assert(goesOn(modest));
  exempt.holdReceived(126);
  assert(goesOn(exempt), "one more may, so that there is always one");
  greedy.holdReceived(126);
  assert(!goesOn(greedy));
  assert(goesOn(modest) && goesOn(modest, true));
  assertEquals([budget.used, budget.pauses], [877, 1]);
});

Deno.test("MemoryBudget lets one at a time go on at the limit, and only inside a frame", () => {
  const [budget, deaf, one, two, three] = budgetOf(4);
  deaf.holdQueued(1000);
  assert(!goesOn(one), "it would begin a frame");
  two.holdReceived(1);
  assert(goesOn(two, true));
  assert(goesOn(two, true), "until its frame is whole");
  two.holdReceived(600);
  assert(goesOn(two, true));
  three.holdReceived(1);
  assert(!goesOn(three, true));
  assertEquals([one.paused, two.paused, three.paused], [true, false, true]);
  two.holdReceived(0); // its frame was handed out
  assertEquals([one.paused, three.paused], [true, false]);
  three.holdReceived(0);
  deaf.holdQueued(999);
  assertEquals(one.paused, false);
  assertEquals(budget.pauses, 2);
});

Deno.test("MemoryBudget takes the exemption back when there is room again", () => {
  const [, deaf, one, other] = budgetOf(3);
  deaf.holdQueued(1000);
  one.holdReceived(5);
  assert(goesOn(one, true)); // and then the peer says nothing more
  deaf.holdQueued(0);
  deaf.holdQueued(1000);
  other.holdReceived(5);
  assert(goesOn(other, true));
});

Deno.test("MemoryBudget hands the exemption on when it is given up, or its holder is closed", () => {
  const [budget, deaf, one, two, three] = budgetOf(4);
  deaf.holdQueued(1000);
  for (const account of [one, two, three]) account.holdReceived(5);
  assert(goesOn(one, true) && !goesOn(two, true) && !goesOn(three, true));
  budget.endExemption(two); // has none
  assertEquals([two.paused, three.paused], [true, true]);
  budget.endExemption(one);
  assertEquals([two.paused, three.paused], [false, true]);
  assert(!goesOn(one, true), "it waits like everybody else");
  two[Symbol.dispose]();
  assertEquals([one.paused, three.paused], [true, false]);
});

Deno.test("MemoryBudget hands the exemption on in the order of pausing, whatever they hold", () => {
  const [, deaf, exempt, greedy, modest, last] = budgetOf(5);
  deaf.holdQueued(1000);
  for (const account of [exempt, modest, last]) account.holdReceived(1);
  greedy.holdReceived(600);
  assert(goesOn(exempt, true));
  for (const account of [greedy, modest, last]) assert(!goesOn(account, true));
  for (const account of [exempt, greedy, modest, last]) {
    assert(!account.paused);
    account.holdReceived(0);
  }
});

Deno.test("MemoryBudget lets as many go on as there is room for, first come, first served", () => {
  const [, deaf, ...others] = budgetOf(6);
  deaf.holdQueued(1000);
  const order: number[] = [];
  const turns = others.map((account, index) => {
    if (index >= 3) account.holdReceived(300);
    return account.turn(false)?.then(() => order.push(index));
  });
  deaf.holdQueued(100); // and 600 of two others
  assertEquals(others.map(({ paused }) => paused), [
    ...[false, false, false],
    ...[false, true],
  ]);
  others[3].holdReceived(0);
  assertEquals(others[4].paused, false);
  return Promise.all(turns).then(() => assertEquals(order, [0, 1, 2, 3, 4]));
});

Deno.test("Account waits in one place however often its turn is asked for", async () => {
  const [budget, deaf, one, other] = budgetOf(3);
  deaf.holdQueued(1000);
  const first = one.turn(false);
  assert(first !== undefined && first === one.turn(false));
  other.turn(false);
  assertEquals(one.turn(true), first);
  assertEquals(budget.pauses, 2);
  deaf.holdQueued(999);
  await first;
  assert(!one.paused);
});

Deno.test("Account that is closed while it waits goes on, and leaves its place", async () => {
  const [budget, deaf, one, two] = budgetOf(3);
  deaf.holdQueued(1000);
  one.holdReceived(5);
  two.holdReceived(5);
  assert(goesOn(one, true));
  const turn = two.turn(true);
  two[Symbol.dispose]();
  await turn;
  one[Symbol.dispose]();
  deaf[Symbol.dispose]();
  assertEquals(budget.used, 0);
  const fresh = budget.open();
  fresh.holdReceived(1000);
  assert(goesOn(fresh, true), "nobody has the exemption");
});

Deno.test("MemoryBudget shares among those that are open", () => {
  const [, one, ...others] = budgetOf(4);
  for (const account of others) account.holdReceived(200);
  one.holdReceived(200);
  assert(goesOn(one), "is exempt");
  assert(others.every((account) => !goesOn(account, true)));
  // Two of three gone: 500 bytes for two.
  const [two, three, four] = others;
  two.holdReceived(200);
  three[Symbol.dispose]();
  assertEquals(two.paused, true);
  four[Symbol.dispose]();
  assertEquals(two.paused, false);
  one.holdReceived(250);
  two.holdReceived(250);
  assert(goesOn(one, true) && goesOn(two, true));
});

/** Whether an account may answer now. */
function answers(account: Account): boolean {
  return account.answerTurn() === undefined;
}

Deno.test("MemoryBudget lets everybody answer while less than half of it waits to be sent", () => {
  const [, deaf, one, greedy] = budgetOf(3);
  greedy.holdReceived(2000);
  deaf.holdQueued(499);
  assert([deaf, one, greedy].every(answers));
  deaf.holdQueued(500);
  assertEquals([deaf, one, greedy].map(answers), [false, false, false]);
  greedy.holdReceived(400);
  assertEquals([deaf, one, greedy].map(answers), [false, true, false]);
  greedy.holdReceived(100);
  assertEquals([deaf, one, greedy].map(answers), [false, true, true]);
});

for (
  const [what, free] of [
    ["somebody's answer is sent", (deaf) => deaf.holdQueued(499)],
    ["somebody is closed", (deaf) => deaf[Symbol.dispose]()],
    ["a frame was handed out", (_, reader) => reader.holdReceived(0)],
    ["somebody is closed who was to send a frame", (_, reader) => {
      reader[Symbol.dispose]();
    }],
  ] satisfies [string, (deaf: Account, reader: Account) => void][]
) {
  Deno.test(`MemoryBudget says that one may answer when ${what}`, async () => {
    const [, deaf, reader, one] = budgetOf(3);
    deaf.holdQueued(500);
    reader.holdReceived(500);
    const turns = [one.answerTurn(), one.answerTurn()];
    assert(turns.every((turn) => turn !== undefined));
    free(deaf, reader);
    await Promise.all(turns);
    assert(answers(one));
  });
}

Deno.test("MemoryBudget shares anew when somebody is closed who holds nothing", async () => {
  const [, deaf, idle, one] = budgetOf(3);
  deaf.holdQueued(500);
  one.holdReceived(200);
  const turn = one.answerTurn();
  assert(turn !== undefined);
  idle[Symbol.dispose]();
  await turn;
  assert(answers(one));
});

Deno.test("Account that is closed may answer: nobody is going to get it", () => {
  const [, deaf, one] = budgetOf(2);
  deaf.holdQueued(1000);
  one[Symbol.dispose]();
  assert(answers(one));
});

/** A connection of the model: what it holds, and what its reader does. */
interface Model {
  account: Account;
  received: number;
  /** Whether it was inside a frame when it asked for its turn. */
  insideFrame: boolean;
}

/** What must be true whenever nothing is going on. */
function check(budget: MemoryBudget, models: readonly Model[]): void {
  const { limit, used } = budget;
  const sum = models.reduce((sum, { account }) => sum + account.usage, 0);
  assertEquals(used, sum);
  assert(used >= 0 && budget.peak >= used);
  const paused = models.filter(({ account }) => account.paused);
  if (used < limit / 2) assertEquals(paused.length, 0, "there is room");
  if (used < limit) {
    // Whoever goes on is not held up by those that hold less than their share.
    assert(paused.length < models.length, "one goes on");
  } else {
    const inside = models.filter(({ account, received, insideFrame }) =>
      account.paused ? insideFrame : received > 0
    );
    const stuck = inside.length > 0 &&
      inside.every(({ account }) => account.paused);
    assert(!stuck, "one that is inside a frame goes on");
  }
}

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
  Deno.test(`MemoryBudget never forgets anybody: seed ${seed}`, () => {
    const random = new Random(seed);
    const budget = new MemoryBudget(random.pick([10, 1000, 100_000]));
    const most = random.pick([2, 5, 40]);
    const size = () => random.below(random.pick([2, 20, budget.limit]));
    const models: Model[] = [];
    const steps: string[] = [];

    function open(): string {
      const account = budget.open();
      models.push({ account, received: 0, insideFrame: false });
      return "open";
    }
    function close(model: Model): string {
      model.account[Symbol.dispose]();
      models.splice(models.indexOf(model), 1);
      return "close";
    }
    function write(model: Model): string {
      const queued = random.below(2) === 0 ? 0 : size();
      model.account.holdQueued(queued);
      return `queue ${queued}`;
    }
    function read(model: Model): string {
      const { account } = model;
      model.insideFrame = model.received > 0;
      const { tight } = account;
      model.received += 1 + size();
      account.holdReceived(model.received);
      if (tight) account.turn(model.insideFrame);
      return `read ${model.received}`;
    }
    function takeFrame(model: Model): string {
      if (model.received > 0) model.received = random.below(model.received);
      model.account.holdReceived(model.received);
      return `frame ${model.received}`;
    }

    open();
    for (let step = 0; step < 8000; step++) {
      const model = random.pick(models);
      const action = random.below(20);
      let did: string | undefined;
      if (action === 0 && models.length < most) did = open();
      else if (action === 1 && models.length > 1) did = close(model);
      else if (action < 6) did = write(model);
      else if (model.account.paused) continue;
      else did = action < 14 ? read(model) : takeFrame(model);
      steps.push(`${models.indexOf(model)} ${did}`);
      try {
        check(budget, models);
      } catch (cause) {
        throw new Error(`seed ${seed}: ${steps.slice(-8)}`, { cause });
      }
    }
    assert(budget.pauses > 50, `seed ${seed}: ${budget.pauses} pauses`);
    for (const { account } of models) {
      account[Symbol.dispose]();
      assert(!account.paused);
    }
    assertEquals(budget.used, 0);
  });
}
