// File sharing: every program shares a folder, and gets files by name from whoever has them, several at once.
//   node examples/share.ts ./music
//   node examples/share.ts ./alice --join 127.0.0.1:10001
//   node examples/share.ts ./bob --join 127.0.0.1:10001 --get song.mp3
// A source may be ended in the middle of it: the others go on, and what is there is used when it is started again.
// End with Ctrl-C. (Node 22.18 or later; npx tsx examples/share.ts on older ones.)
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Download, FileExchange, type FileProgress, safeFileName, SecureNode } from 'secure-node'

/** How long answers to a search are waited for, in ms. */
const SEARCH_TIME = 1_000

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { join: { type: 'string' }, get: { type: 'string' }, port: { type: 'string', default: '0' } },
})
const folder = positionals[0] ?? '.'
const node = new SecureNode('127.0.0.1', Number(values.port))
const files = new FileExchange(node)

/** Remote text, without what moves the cursor or hides text. */
const printable = (text: string): string => text.slice(0, 100).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�')
const short = (id: string): string => id.slice(0, 8)

/** Shares what is in the folder, but nothing that is hidden or incomplete. */
async function shareFolder(): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile() || /^\.|\.part$/.test(entry.name)) continue
    const { id, name, size } = await files.share(join(folder, entry.name))
    console.log(`shares ${printable(name)} (${size} bytes, ${short(id)})`)
  }
}

/** Answers the searches of others, each hit by a message to the one who asks. */
node.handle('file/search', async ({ data, from }) => {
  const { name } = data as { name?: unknown }
  const hits = [...files.shared.values()].filter((file) => file.name === name)
  for (const { id, name, size } of hits) await node.sendTo(from, { id, name, size }, { type: 'file/found' })
})

/** Who has which file: the IDs of nodes, by the ID of the file. Names are claims, IDs are not. */
const found = new Map<string, Set<string>>()
let download: Download | undefined
let wanted: string | undefined

node.handle('file/found', ({ data, from }) => {
  const { id, name } = data as { id?: unknown; name?: unknown }
  // Strangers answer what they like: only what was asked for counts, and no more of it than makes sense.
  if (typeof id !== 'string' || name !== values.get || found.size >= 100) return
  const sources = found.get(id) ?? new Set()
  if (sources.size < 32) found.set(id, sources.add(from))
  // Came late, and can help all the same.
  if (id === wanted && download?.addSource(from) === true) console.log(`also from ${short(from)}`)
})

/** Asks everybody, and takes the content that most have under this name. */
async function search(name: string): Promise<[id: string, sources: string[]] | undefined> {
  found.clear()
  await node.sendToNodes({ name }, { type: 'file/search' })
  await new Promise((resolve) => setTimeout(resolve, SEARCH_TIME))
  const [best] = [...found].sort(([, one], [, other]) => other.size - one.size)
  return best && [best[0], [...best[1]]]
}

function showProgress({ bytes, size, sources }: FileProgress): void {
  const part = size === 0 ? 1 : bytes / size
  const bar = '#'.repeat(Math.round(part * 30)).padEnd(30, '.')
  const line = `[${bar}] ${Math.floor(part * 100)} % from ${sources}`
  if (process.stdout.isTTY) process.stdout.write(`\r${line} ${bytes === size ? '\n' : ''}`)
  else console.log(line)
}

/** Gets a file, and looks for other sources until it is complete. */
async function get(name: string): Promise<void> {
  const to = join(folder, safeFileName(name))
  for (;;) {
    const hit = await search(name)
    if (hit === undefined) {
      console.log(`nobody has ${printable(name)} yet`)
      continue
    }
    const [id, from] = hit
    console.log(`gets ${printable(name)} from ${from.map(short).join(', ')}`)
    try {
      wanted = id
      download = files.download(id, { from, to, timeout: 10_000, onProgress: showProgress })
      const { path, size } = await download
      await files.share(path)
      console.log(`got ${printable(name)} (${size} bytes), and shares it`)
      return
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      console.log(printable(message))
      if (code === 'aborted') return
      // Somebody else may have it, or the same one again later; a disk does not heal by waiting.
      if (code !== 'file-not-found' && code !== 'file-corrupt') throw error
    }
  }
}

/** What is on its way stays where it is, and is used when the program is started again. */
async function end(): Promise<void> {
  files.close()
  await node.leave()
  await node.stop()
  process.exit()
}

process.once('SIGINT', () => void end())
await node.start()
await shareFolder()
console.log(`${short(node.id)} listens at 127.0.0.1:${node.port}; end with Ctrl-C`)
if (values.join !== undefined) await node.join([values.join])
if (values.get !== undefined) await get(values.get)
