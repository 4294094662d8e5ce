import { icuLanguageTag } from '../../../src/domain/data/server-state';

// The right side is what PostgreSQL 17 stores for the left (CREATE DATABASE … ICU_LOCALE).
test.each([
  ['de', 'de'],
  ['en_US', 'en-US'],
  ['de-u-kn-true', 'de-u-kn'],
  ['de-DE-u-ks-level2-co-phonebk', 'de-DE-u-co-phonebk-ks-level2'],
  ['de@collation=phonebook', 'de-u-co-phonebk'],
  ['en@colNumeric=yes;colStrength=secondary', 'en-u-kn-ks-level2'],
  ['', 'und'],
  ['root', 'und'],
  ['not a locale', 'not a locale'],
])('%s is %s', (locale, tag) => {
  expect(icuLanguageTag(locale)).toBe(tag);
  expect(icuLanguageTag(tag)).toBe(tag);
});
