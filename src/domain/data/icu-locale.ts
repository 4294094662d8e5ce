/** Keywords of ICU for collations, and their keys in a language tag. */
const KEYS: Record<string, string> = {
  ...{ collation: 'co', colnumeric: 'kn', colstrength: 'ks', colcasefirst: 'kf', colcaselevel: 'kc' },
  ...{ colalternate: 'ka', colbackwards: 'kb', colreorder: 'kr' },
};
const VALUES: Record<string, string> = {
  ...{ yes: 'true', no: 'false', 'non-ignorable': 'noignore' },
  ...{ primary: 'level1', secondary: 'level2', tertiary: 'level3', quaternary: 'level4', identical: 'identic' },
  ...{ phonebook: 'phonebk', traditional: 'trad', dictionary: 'dict' },
};

/**
 * The standard form of an ICU locale. PostgreSQL 15 keeps one as the operator wrote it (`en_US`, `de-u-kn-true`,
 * `de@collation=phonebook`); from 16 on it is written as a language tag (`en-US`, `de-u-kn`, `de-u-co-phonebk`). A text that is not a language
 * tag stays as it is. Pure.
 */
export function icuLanguageTag(locale: string): string {
  const [language = '', keywords = ''] = locale.split('@');
  const extension = keywords.split(';').flatMap((keyword) => {
    const [key = '', value = ''] = keyword.toLowerCase().split('=');
    return key === '' ? [] : [KEYS[key] ?? key, VALUES[value] ?? value];
  });
  const named = ['', 'root'].includes(language.toLowerCase()) ? 'und' : language.replaceAll('_', '-');
  const tag = extension.length === 0 ? named : [named, 'u', ...extension].join('-');
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? tag;
  } catch {
    return tag;
  }
}
