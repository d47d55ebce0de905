import { render } from 'preact'
import { App } from './app.tsx'
import { Desk } from './data/desk.ts'

const desk = new Desk()
render(<App desk={desk} />, document.getElementById('app')!)
desk.follower.start()
