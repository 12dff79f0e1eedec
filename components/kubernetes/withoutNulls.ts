/** The API's JSON without what is null: to Kubernetes a field that is null is one that is not there. Changes the value. */
export function withoutNulls<T>(value: T): T {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const one = open.pop();
    if (Array.isArray(one)) {
      let kept = 0;
      for (const item of one) {
        if (item === null) continue;
        one[kept++] = item;
        if (typeof item === "object") open.push(item);
      }
      one.length = kept;
    } else if (typeof one === "object" && one !== null) {
      const fields = one as Record<string, unknown>;
      for (const key of Object.keys(fields)) {
        const field = fields[key];
        if (field === null) delete fields[key];
        else if (typeof field === "object") open.push(field);
      }
    }
  }
  return value;
}
