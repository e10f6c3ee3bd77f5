// Text from numbers, as ibtext/demos/kit/number_text.py writes them, so that one template serves both sides.
export const MINUS = '\u2212';
const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';

const DERIVED = {
  max: v => v.reduce((a, b) => (b > a || !(a === a) ? b : a), NaN),
  min: v => v.reduce((a, b) => (b < a || !(a === a) ? b : a), NaN),
  rms: v => { const good = v.filter(Number.isFinite); return Math.sqrt(good.reduce((s, u) => s + u * u, 0) / good.length); },
};

/** {key_max}, {key_min} and {key_rms} of an array need not be among the numbers. */
function derived(name, arrays) {
  const at = name.lastIndexOf('_'), values = arrays?.[name.slice(0, at)];
  return values && DERIVED[name.slice(at + 1)]?.(values);
}

/** A zero has no sign, and a minus is a minus sign. */
const signed = text => (/[1-9]/.test(text.split('·')[0]) ? text : text.replace('-', '')).replace('-', MINUS);

/** A number with `digits` significant digits; a multiple of a power of ten where it is very large or small. */
function significant(v, digits) {
  if (v === 0) return '0';
  const [mantissa, exponent] = v.toExponential(digits - 1).split('e'), k = +exponent;
  if (k > -4 && k < 5) return String(+v.toPrecision(digits));
  return times(String(+mantissa), k);
}

const times = (mantissa, k) => (mantissa === '1' || mantissa === '-1' ? mantissa.replace('1', powerOfTen(k)) : `${mantissa}·${powerOfTen(k)}`);

function number(v, digits, type) {
  if (!Number.isFinite(v)) return String(v);
  if (type === 'g') return signed(significant(v, digits));
  return signed((type === '%' ? 100 * v : v).toFixed(digits)) + (type === '%' ? '%' : '');
}

/** Fill fields such as {peak:.2f}, by .Nf, .Ng and .N%.
 *  `words` are the texts of choices, for fields without a format; `arrays`, those of the result. */
export function fill(template, numbers, words = {}, arrays = null) {
  return template.replace(/\{(\w+)(?::([^}]*))?\}/g, (all, name, spec) => {
    if (!spec && name in words) return words[name];
    const value = name in numbers ? numbers[name] : derived(name, arrays);
    if (value === undefined) return all;
    const type = /^\.(\d+)([fg%])$/.exec(spec ?? '');
    return type ? number(value, +type[1], type[2]) : String(value);
  });
}

/** A number for the reader's eye: three significant digits, a real minus sign. */
export const short = v => {
  const size = Math.abs(v);
  return signed(size !== 0 && (size >= 1e5 || size < 1e-2) ? significant(v, 2) : v.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2));
};

export const powerOfTen = k => '10' + String(k).replace(/./g, c => (c === '-' ? '⁻' : SUPERSCRIPT[+c] ?? c));

export function scientific(v, digits = 0) {
  const [mantissa, exponent] = v.toExponential(digits).split('e');
  return times(String(+mantissa), +exponent);
}

/** A Python literal. */
export const literal = v => (Array.isArray(v) ? `[${v.map(literal).join(', ')}]` : Number.isInteger(v) ? `${v}.0` : String(v));
