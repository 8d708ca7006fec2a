import { describe, expect, it } from 'vitest';
import { Slots } from '../../src/shared/slots.ts';

describe('slots', () => {
  it('let in as many as fit, in the order they came', async () => {
    const slots = new Slots(10);
    const entered: string[] = [];
    const enter = async (name: string, weight: number): Promise<() => void> => {
      const leave = await slots.acquire(weight);
      entered.push(name);
      return leave;
    };
    const [a, b] = await Promise.all([enter('a', 6), enter('b', 4)]);
    const c = enter('c', 8);
    const d = enter('d', 1); // would fit, but c came first
    a();
    a(); // once is enough
    await Promise.resolve();
    expect(entered).toEqual(['a', 'b']);
    b();
    (await c)();
    (await d)();
    expect(entered).toEqual(['a', 'b', 'c', 'd']);
  });

  it('let in alone what is larger than all the room', async () => {
    const slots = new Slots(10);
    const small = await slots.acquire(1);
    let entered = false;
    const large = slots.acquire(100).then((leave) => {
      entered = true;
      return leave;
    });
    await Promise.resolve();
    expect(entered).toBe(false);
    small();
    (await large)();
    expect(entered).toBe(true);
  });
});
