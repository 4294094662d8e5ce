import type { StepLine, Tone } from './letter';

// Colours that are readable on white and on black: text and background follow the reader's `color-scheme`. Only the
// verdict and the button set their own, with white text at a contrast of at least 4.9:1.
export const TONES: Record<Tone, string> = {
  good: '#1a7f37',
  notice: '#0550ae',
  attention: '#9a6700',
  alarm: '#b42318',
};

export const MARKS: Record<StepLine['result'], { word: string; colour: string }> = {
  succeeded: { word: 'succeeded', colour: '#2da44e' },
  failed: { word: 'failed', colour: '#e5484d' },
  skipped: { word: 'skipped', colour: '#8c8c8c' },
  running: { word: 'was running', colour: '#bf8700' },
};

const WRAP = 'overflow-wrap:anywhere;word-break:break-word';
const MONOSPACE = 'font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace';
const TINT = 'background:rgba(128,128,128,.16)';

export const STYLES = {
  document: 'color-scheme:light dark',
  body: 'margin:0;padding:0',
  column: `max-width:600px;margin:0 auto;padding:16px;box-sizing:border-box;font:16px/1.5 -apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;${WRAP}`,
  verdict:
    'display:inline-block;margin:0 0 12px;padding:4px 12px;border-radius:4px;color:#fff;font-size:14px;font-weight:700;letter-spacing:.04em;text-transform:uppercase',
  title: 'margin:0 0 16px;font-size:24px;line-height:1.25',
  heading: 'margin:28px 0 8px;font-size:17px;line-height:1.3',
  paragraph: 'margin:0 0 12px',
  important: `margin:0 0 12px;padding:10px 12px;border-left:4px solid #e5484d;font-weight:700;${TINT}`,
  fact: 'margin:0 0 10px',
  label: 'font-size:13px;opacity:.75',
  value: 'word-break:break-all',
  digest: `font-size:13px;word-break:break-all;${MONOSPACE}`,
  command: 'margin:4px 0',
  list: 'margin:0 0 12px;padding-left:24px',
  item: 'margin:0 0 6px',
  step: 'margin:0 0 8px;padding:2px 0 2px 12px;border-left:4px solid',
  small: 'font-size:14px;opacity:.85',
  machine: `margin:0 0 12px;padding:10px 12px;border-radius:4px;font-size:13px;line-height:1.45;white-space:pre-wrap;${TINT};${MONOSPACE};${WRAP}`,
  link: 'word-break:break-all',
  button:
    'display:inline-block;padding:12px 20px;border-radius:6px;background:#0550ae;color:#fff;font-weight:700;text-decoration:none',
  preview: 'display:none;max-height:0;overflow:hidden;mso-hide:all',
  note: 'margin:0 0 8px',
  foot: 'margin:32px 0 0;padding:12px 0 0;border-top:1px solid rgba(128,128,128,.4);font-size:13px',
} as const;
