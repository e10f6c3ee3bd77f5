// Text from numbers: a small part of Python's format language, so that one template serves both sides.
import { format } from 'd3-format';

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

/** Fill fields such as {peak:.2f}; Python's str.format gives the same text for .Nf, .Ng and .N% within their usual range.
 *  `words` are the texts of choices, for fields without a format; `arrays`, those of the result. */
export function fill(template, numbers, words = {}, arrays = null) {
  return template.replace(/\{(\w+)(?::([^}]*))?\}/g, (all, name, spec) => {
    if (!spec && name in words) return words[name];
    const value = name in numbers ? numbers[name] : derived(name, arrays);
    if (value === undefined) return all;
    const type = /^\.(\d+)([fg%])$/.exec(spec ?? '');
    if (!type) return String(value);
    return type[2] === 'f' ? value.toFixed(+type[1]) : format(`.${type[1]}${type[2] === 'g' ? '~g' : '%'}`)(value).replace(MINUS, '-');
  });
}

/** A number for the reader's eye: three significant digits, a real minus sign. */
export const short = v => {
  const size = Math.abs(v);
  const text = size !== 0 && (size >= 1e4 || size < 1e-2) ? scientific(v, 1) : v.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
  return text.replace('-', MINUS);
};

export const powerOfTen = k => '10' + String(k).replace(/./g, c => (c === '-' ? '⁻' : SUPERSCRIPT[+c] ?? c));

export function scientific(v, digits = 0) {
  const [mantissa, exponent] = v.toExponential(digits).split('e');
  return `${mantissa}·${powerOfTen(+exponent)}`;
}

/** A Python literal. */
export const literal = v => (Array.isArray(v) ? `[${v.map(literal).join(', ')}]` : Number.isInteger(v) ? `${v}.0` : String(v));
