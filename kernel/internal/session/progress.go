package session

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/kernel/internal/modules"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/sinks"
)

const (
	// defaultProgressDelay is how long a cell waits before a progress line appears.
	defaultProgressDelay = time.Second
	// progressInterval is the time between two updates of a progress line.
	progressInterval = 200 * time.Millisecond
)

// progressLines counts the progress lines and news displays, to make their identifiers.
var progressLines atomic.Int64

// A progressLine shows what a cell is waiting for. It appears when the wait takes longer than the session's delay,
// changes in place, and disappears at the end. Its methods may be called concurrently.
type progressLine struct {
	sink  output.Sink
	alone bool // the cell has shown nothing else
	id    string
	start time.Time

	mu    sync.Mutex // guards the fields below
	text  string     // to be shown; "" for none yet
	shown string
	timer *time.Timer // shows text when it is due
	ended bool
}

// progress returns a line that is not shown yet.
func (r *run) progress() *progressLine {
	p := &progressLine{
		sink: r.sink, alone: !sinks.HasOutput(r.sink), start: time.Now(),
		id: fmt.Sprintf("perijove-progress-%d", progressLines.Add(1)),
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(cmp.Or(r.session.cfg.ProgressDelay, defaultProgressDelay), p.show)
	return p
}

// set changes the text.
func (p *progressLine) set(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
}

// show shows the text, and updates it each progressInterval until end is called.
func (p *progressLine) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	if p.text != "" {
		text := fmt.Sprintf("%s, %.0f s", p.text, time.Since(p.start).Seconds())
		if text != p.shown {
			p.sink.Display(output.Display{Data: output.Bundle{"text/plain": text}, DisplayID: p.id, Update: p.shown != ""})
			p.shown = text
		}
	}
	p.timer.Reset(progressInterval)
}

// end removes the line. If the cell has shown something else, removing the line would clear that, too. In this case end
// makes the line empty.
func (p *progressLine) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	p.ended = true
	p.timer.Stop()
	switch {
	case p.shown == "":
	case p.alone:
		p.sink.Clear(false)
	default:
		p.sink.Display(output.Display{Data: output.Bundle{"text/plain": ""}, DisplayID: p.id, Update: true})
	}
}

// compiling shows the progress of the go command.
func (p *progressLine) compiling(c modules.CompileProgress) {
	if c.Message != "" {
		p.set(c.Message)
		return
	}
	text := "compiling " + c.Package
	if c.Total > 0 {
		text += fmt.Sprintf(", %d of %d packages", c.Started, c.Total)
	}
	p.set(text)
}

// remark shows lines that the user may want to read later, as a display. It is not for warnings, which are text on
// standard error.
func (r *run) remark(lines ...string) {
	if len(lines) > 0 {
		r.sink.Display(output.Display{Data: output.Bundle{"text/plain": strings.Join(lines, "\n")}})
	}
}

// news shows lines that the user does not need later, such as that go.mod was completed. They are in one display, which
// grows in place and is left empty when the cell ends.
type news struct {
	sink output.Sink
	id   string
	text string // shown; "" for nothing
}

// tell adds a line to the news of the cell.
func (r *run) tell(line string) {
	n := &r.news
	if n.text == "" {
		n.sink, n.id = r.sink, fmt.Sprintf("perijove-news-%d", progressLines.Add(1))
	} else {
		line = n.text + "\n" + line
	}
	n.sink.Display(output.Display{Data: output.Bundle{"text/plain": line}, DisplayID: n.id, Update: n.text != ""})
	n.text = line
}

// end empties the display.
func (n *news) end() {
	if n.text != "" {
		n.sink.Display(output.Display{Data: output.Bundle{"text/plain": ""}, DisplayID: n.id, Update: true})
		n.text = ""
	}
}
