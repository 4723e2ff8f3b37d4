package session

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/gonb"
	"github.com/perijove/perijove/kernel/internal/output"
)

// pagePatience is how long a page may take to answer before the user is told.
const pagePatience = 5 * time.Second

// A gonbPage is the page of the front end, as GoNB's widgets see it: values go
// to addresses in it and come from there, by a comm that a script in it opens.
// The script is shown by each cell that needs the page, since that may have
// been loaded anew; a page that has it already says so.
type gonbPage struct {
	kernel string // as Jupyter knows the kernel; "" if there is no page

	mu      sync.Mutex
	comm    string          // the open comm
	wanted  map[string]bool // addresses whose values the program wants
	asked   int             // the execution that showed the script last
	script  string          // its display, if it was not answered
	owner   output.Sink     // where that was shown
	queue   []gonb.Value    // for a page that has not answered
	overdue *time.Timer
}

func (page *gonbPage) serve(kernel string) {
	page.mu.Lock()
	defer page.mu.Unlock()
	page.kernel = kernel
}

func (page *gonbPage) close() {
	page.mu.Lock()
	defer page.mu.Unlock()
	page.script = "" // nobody waits for the answer
}

// askPage shows the script for a cell that is not yet running.
func (p *process) askPage(sink output.Sink) {
	p.page.mu.Lock()
	defer p.page.mu.Unlock()
	p.page.ask(sink)
}

// pageNeeded shows the script, once in each cell. The caller holds mu.
func (p *process) pageNeeded() {
	p.mu.Lock()
	id := p.id
	p.mu.Unlock()
	if p.page.asked == id {
		return
	}
	p.page.asked = id
	p.page.ask(p.current())
}

func (page *gonbPage) ask(sink output.Sink) {
	page.owner = sink
	if page.kernel == "" {
		page.owner.Stream(output.Stderr, "gonbui: GoNB's widgets and package dom need a page that runs scripts; here is none\n")
		return
	}
	page.comm, page.script = "", "gonb-page-"+rand.Text()
	page.owner.Display(output.Display{Data: output.Bundle{"text/html": gonb.Page(page.kernel)}, DisplayID: page.script})
	script, owner := page.script, page.owner
	page.overdue = time.AfterFunc(pagePatience, func() {
		page.mu.Lock()
		defer page.mu.Unlock()
		if page.script == script {
			owner.Stream(output.Stderr, "gonbui: the page has not answered; GoNB's widgets and package dom need a front end that runs scripts and shares Jupyter's address, such as JupyterLab\n")
		}
	})
}

// toPage takes what the program says to the page.
func (p *process) toPage(m gonb.Message) {
	page := p.page
	page.mu.Lock()
	defer page.mu.Unlock()
	switch m := m.(type) {
	case gonb.Subscription:
		if m.Unsubscribe {
			delete(page.wanted, m.Address)
			return
		}
		page.wanted[m.Address] = true
		p.pageNeeded()
		if page.kernel == "" {
			p.giveUp()
		}
	case gonb.Value:
		p.pageNeeded()
		switch {
		case m.Address == gonb.AddressStart || page.kernel == "":
		case page.comm == "":
			page.queue = append(page.queue, m)
		default:
			p.sendPage(m)
		}
	}
}

// giveUp ends a cell that waits for values which cannot come.
func (p *process) giveUp() {
	p.mu.Lock()
	running := p.done != nil
	p.mu.Unlock()
	if running {
		go p.interrupt() // the pump must not wait for the worker to take it
	}
}

// sendPage sends a value to the page that has answered. The caller holds mu.
func (p *process) sendPage(v gonb.Value) {
	data, err := gonb.ToPage(v)
	if err != nil {
		p.current().Stream(output.Stderr, "gonbui: "+err.Error()+"\n")
		return
	}
	p.current().Comm(output.Comm{Kind: output.CommMsg, ID: p.page.comm, Data: data})
}

// fromPage takes a message of a comm if that is the page's.
func (p *process) fromPage(m output.Comm) (taken bool) {
	page := p.page
	page.mu.Lock()
	defer page.mu.Unlock()
	switch {
	case m.Kind == output.CommOpen && m.Target == gonb.CommTarget:
		page.answered(m.ID)
		for _, v := range page.queue {
			p.sendPage(v)
		}
		page.queue = nil
	case page.comm == "" || m.ID != page.comm:
		return false
	case m.Kind == output.CommClose:
		page.comm = ""
	default:
		v, err := gonb.FromPage(m.Data)
		if err != nil {
			p.current().Stream(output.Stderr, "gonbui: "+err.Error()+"\n")
		} else if page.wanted[v.Address] { // gonbui locks up on others
			p.gonbSend(v)
		}
	}
	return true
}

// answered removes the script, which would run again from a saved notebook.
func (page *gonbPage) answered(comm string) {
	page.comm = comm
	if page.script == "" {
		return
	}
	page.overdue.Stop()
	page.owner.Display(output.Display{Data: output.Bundle{"text/html": ""}, DisplayID: page.script, Update: true})
	page.script = ""
}
