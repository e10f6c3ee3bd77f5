// npm run lint: what ESLint recommends and a few habits, for the bundle, which runs in browsers, and for what runs in Node.js.
import js from '@eslint/js';
import globals from 'globals';

export default [
  js.configs.recommended,
  { rules: { 'prefer-const': 'error', 'no-var': 'error', eqeqeq: 'error', 'no-shadow': ['error', { allow: ['parent'] }] } },
  { files: ['src/**'], languageOptions: { globals: globals.browser } },
  { files: ['*.mjs', 'test/**'], languageOptions: { globals: { ...globals.node, location: 'readonly', history: 'readonly' } } },
];
