/** The numbers of a grid, which travels as its ends and count where it is equally spaced; to the last bit those of numpy.linspace,
 *  because a curve may jump at one of them. */
export const gridOf = x => {
  if (x.values) return x.values;
  const step = (x.stop - x.start) / (x.n - 1);
  return Array.from({ length: x.n }, (_, k) => (k === x.n - 1 ? x.stop : k * step + x.start));
};
