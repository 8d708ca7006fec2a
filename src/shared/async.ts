/**
 * Maps with at most `limit()` calls under way or waiting to be taken, and yields the results in the order of the
 * source. The first failure is thrown where its result would have been; calls still under way are awaited before
 * the generator ends.
 */
export async function* mapConcurrent<T, R>(
  source: AsyncIterable<T> | Iterable<T>,
  limit: () => number,
  run: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const pending: Promise<R>[] = [];
  try {
    for await (const item of source) {
      const result = run(item);
      result.catch(() => undefined); // it is awaited below, in its turn
      pending.push(result);
      while (pending.length >= limit()) yield await pending.shift()!;
    }
    while (pending.length > 0) yield await pending.shift()!;
  } finally {
    await Promise.allSettled(pending);
  }
}

/**
 * Runs at most `limit` of the given generators at a time and yields whatever comes first. Order is kept inside
 * each generator, not between them. A failure is thrown at once and ends the others.
 */
export async function* mergeConcurrent<T>(
  sources: Iterable<() => AsyncGenerator<T>>,
  limit: number,
): AsyncGenerator<T> {
  type Step = { readonly from: AsyncGenerator<T>; readonly result: IteratorResult<T, unknown> };
  const running = new Map<AsyncGenerator<T>, Promise<Step>>();
  const advance = (from: AsyncGenerator<T>): void => {
    const step = from.next().then((result) => ({ from, result }));
    step.catch(() => undefined); // seen by the race below
    running.set(from, step);
  };
  const waiting = sources[Symbol.iterator]();
  const refill = (): void => {
    while (running.size < limit) {
      const next = waiting.next();
      if (next.done === true) return;
      advance(next.value());
    }
  };
  try {
    for (refill(); running.size > 0; refill()) {
      const { from, result } = await Promise.race(running.values());
      running.delete(from);
      if (result.done === true) continue;
      yield result.value;
      advance(from);
    }
  } finally {
    await Promise.allSettled(running.values());
    await Promise.allSettled([...running.keys()].map((from) => from.return(undefined)));
  }
}

/** Asks the source for its next item while the one before is in use. */
export async function* readAhead<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  const next = (): Promise<IteratorResult<T, unknown>> => {
    const step = source.next();
    step.catch(() => undefined); // it is awaited below, in its turn
    return step;
  };
  let step = next();
  try {
    for (;;) {
      const { done, value } = await step;
      if (done === true) return;
      step = next();
      yield value;
    }
  } finally {
    await Promise.allSettled([step]);
    await source.return(undefined);
  }
}
