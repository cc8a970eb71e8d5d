import t from 'tap'
import { safeFileName } from '../../lib/files/safe-file-name.ts'

const bytes = (text: string): number => new TextEncoder().encode(text).length

t.test('an ordinary name stays as it is', async (t) => {
  for (const name of [
    'holiday.mp4',
    'a',
    'été à la mer.txt',
    '写真 (1).jpg',
    'x.tar.gz',
    'partly',
    'a-b',
    '🎂.png',
  ]) {
    t.equal(safeFileName(name), name)
  }
})

t.test('a name that leads elsewhere, hides, or commands is made harmless', async (t) => {
  const names: [string, string][] = [
    ['', 'file'],
    ['.', 'file'],
    ['..', 'file'],
    ['. . .', 'file'],
    ['\0', 'file'],
    ['../../etc/passwd', '_.._etc_passwd'],
    ['..\\..\\boot.ini', '_.._boot.ini'],
    ['/etc/passwd', '_etc_passwd'],
    ['C:\\x', 'C__x'],
    ['x.txt:stream', 'x.txt_stream'],
    ['.bashrc', 'bashrc'],
    ['name. . ', 'name'],
    ['-rf', '_-rf'],
    ['a\r\nb\u001b[2Jc', 'ab[2Jc'],
    ['photo\u202egpj.exe', 'photogpj.exe'],
    ['.\u200b.', 'file'],
    ['a\u2044b\u2215c\uff0fd\uff3ce', 'a_b_c_d_e'],
    ['a?b*c"d<e>f|g', 'a_b_c_d_e_f_g'],
    ['\ud800x', '\ufffdx'],
    ['x.part', 'x.part_'],
    ['x.PART', 'x.PART_'],
    ['.part', 'part'],
    ['e\u200d\u0301', '\u00e9'],
  ]
  for (const [name, safe] of names) t.equal(safeFileName(name), safe, JSON.stringify(name))
})

t.test('the devices of Windows are no names of files', async (t) => {
  for (const name of [
    'CON',
    'con',
    'Aux.txt',
    'nul.tar.gz',
    'COM1',
    'lpt9.x',
    'COM¹',
    'PRN .txt',
    'CONIN$',
    'conout$.x',
  ]) {
    t.equal(safeFileName(name), `_${name}`)
  }
  t.equal(safeFileName('nul.'), '_nul')
  t.equal(safeFileName('CON\u0000'), '_CON')
  for (const name of ['console', 'com10', 'null', 'auxiliary.txt']) t.equal(safeFileName(name), name)
})

t.test('a long name is cut between characters, and keeps its ending', async (t) => {
  t.equal(safeFileName(`${'x'.repeat(999)}.mp4`), `${'x'.repeat(194)}.mp4`)
  const cake = safeFileName(`${'🎂'.repeat(5_000)}.png`)
  t.match(cake, /^(🎂)+\.png$/u)
  t.ok(bytes(cake) <= 200)
  t.equal(safeFileName('x'.repeat(200)).length, 200)
  t.equal(bytes(safeFileName(`con.${'x'.repeat(300)}.part`)), 200)
  // Nothing of a megabyte is looked at twice.
  t.ok(bytes(safeFileName('./'.repeat(1_000_000))) <= 200)
})

t.test('whatever comes in, the rules hold, and a safe name stays as it is', async (t) => {
  const pieces = ['.', '..', '/', '\\', ' ', 'con', 'NUL', '.part', '-', 'a', 'é', '\u0301', '🎂', '\u0000', '\u202e', '\ud83c', '\u2044', ':', '\ufeff', '\u00a0', 'ﬁ', '\u037e', 'x'.repeat(90), '한'.repeat(40)] // prettier-ignore
  let state = 3
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return (state >> 8) % below
  }
  for (let round = 0; round < 20_000; round++) {
    const name = Array.from({ length: random(9) }, () => pieces[random(pieces.length)]).join('')
    const safe = safeFileName(name)
    const isGood =
      safe !== '' &&
      bytes(safe) <= 200 &&
      safe.isWellFormed() &&
      !/[/\\:*?"<>|\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(safe) &&
      !/^[.\s-]|[.\s]$|\.part$/iu.test(safe) &&
      safeFileName(safe) === safe
    if (!isGood) t.fail(`${JSON.stringify(name)} became ${JSON.stringify(safe)}`)
  }
})
