/** The fields of the form of one button, as the page has them. */
export function fieldsOf(page: string, action: string, id?: string): Record<string, string> {
  const forms = page.match(new RegExp(`<form[^>]*action="(?:\\.\\./)?actions/${action}"[\\s\\S]*?</form>`, 'g')) ?? [];
  const form = forms.find((each) => id === undefined || each.includes(`value="${id}"`));
  if (form === undefined) throw new Error(`the page has no form for ${action} ${id ?? ''}`);
  const fields = [...form.matchAll(/name="(id|form)" value(?:="([^"]*)")?/g)];
  return Object.fromEntries(fields.map(([, name, value = '']) => [name, value]));
}
