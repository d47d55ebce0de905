import { spawnSync } from 'node:child_process'
import { connect, createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { get } from 'node:http'
import { describe, expect, it } from 'vitest'

describe('the network guard of the tests', () => {
  it('refuses sockets to other machines, by name and by address', () => {
    expect(() => connect(443, 'example.com')).toThrow('tests are offline')
    expect(() => connect({ host: '192.0.2.1', port: 80 })).toThrow('tests are offline')
    expect(() => connect({ host: '2001:db8::1', port: 80 })).toThrow('tests are offline')
  })

  it('refuses fetch and node:http', async () => {
    await expect(fetch('http://192.0.2.1/')).rejects.toThrow()
    const refused = new Promise((resolve) => {
      try {
        get('http://192.0.2.1/').on('error', resolve)
      } catch (error) {
        resolve(error)
      }
    })
    expect(String(await refused)).toContain('tests are offline')
  })

  it('refuses what a child process opens', () => {
    const { stderr } = spawnSync(process.execPath, ['-e', "require('node:net').connect(80, '192.0.2.1')"], { encoding: 'utf8' })
    expect(stderr).toContain('tests are offline')
  })

  it('lets loopback through', async () => {
    const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const [data] = (await once(socket, 'data')) as [Buffer]
    expect(data.toString()).toBe('hello')
    server.close()
  })
})
