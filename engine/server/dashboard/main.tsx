import { render } from 'preact'
import { App } from './app.tsx'
import { Desk } from './data/desk.ts'
import './styles/base.css'
import './styles/layout.css'
import './styles/parts.css'
import './styles/lists.css'
import './styles/dialog.css'

const desk = new Desk()
render(<App desk={desk} />, document.getElementById('app')!)
desk.follower.start()
