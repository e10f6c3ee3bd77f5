// Text from numbers: a small part of Python's format language, so that one template serves both sides.
import { format } from 'd3-format';

const MINUS = '\u2212', SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Fill fields such as {peak:.2f}; Python's str.format gives the same text for .Nf, .Ng and .N% within their usual range. */
export function fill(template, numbers) {
  return template.replace(/\{(\w+)(?::([^}]*))?\}/g, (all, name, spec) => {
    if (!(name in numbers)) return all;
    const type = /^\.(\d+)([fg%])$/.exec(spec ?? '');
    if (!type) return String(numbers[name]);
    return type[2] === 'f' ? numbers[name].toFixed(+type[1]) : format(`.${type[1]}${type[2] === 'g' ? '~g' : '%'}`)(numbers[name]).replace(MINUS, '-');
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
