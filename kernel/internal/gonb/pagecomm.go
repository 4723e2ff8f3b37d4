package gonb

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
)

// A Host is the worker process whose cells use package gonbui.
type Host interface {
	// Sink returns the output of the running cell, or of the last cell if none runs.
	Sink() output.Sink
	// Execution returns the ID of the last execution and whether it is running.
	Execution() (id int, running bool)
	// Interrupt stops the running cell. It does not wait.
	Interrupt()
}

// answerTimeout is how long a page may take to answer before a notice says that it
// has not.
const answerTimeout = 5 * time.Second

// A page is the kernel's side of the front end's web page for GoNB's widgets. Values are
// sent to and from addresses in the page through a comm, which a script in the page
// opens. Each cell that needs the page displays the script, since the page may
// have been reloaded. If the page has already run the script, the script only answers.
type page struct {
	host   Host
	send   func(Value) // sends a value to gonbui
	kernel string      // Jupyter's identifier of the kernel; "" if there is no page

	mu      sync.Mutex      // guards the fields below
	comm    string          // ID of the open comm
	wanted  map[string]bool // addresses whose values the program wants
	asked   int             // ID of the last execution that displayed the script
	script  string          // display ID of the script; "" once the page has answered
	owner   output.Sink     // where the script was displayed
	queue   []Value         // values to be sent once the page has answered
	overdue *time.Timer
}

func (p *page) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.script = "" // so that the page does not wait for an answer
}

// connect displays the script for a cell that is not yet running.
func (p *page) connect(sink output.Sink) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ask(sink)
}

// ensure displays the script unless this execution has displayed it. The caller holds mu.
func (p *page) ensure() {
	id, _ := p.host.Execution()
	if p.asked == id {
		return
	}
	p.asked = id
	p.ask(p.host.Sink())
}

// ask displays the script in sink. The caller holds mu.
func (p *page) ask(sink output.Sink) {
	p.owner = sink
	if p.kernel == "" {
		p.owner.Stream(output.Stderr, "gonbui: GoNB's widgets and package dom need a page that runs scripts, but there is none\n")
		return
	}
	p.comm, p.script = "", "gonb-page-"+rand.Text()
	p.owner.Display(output.Display{Data: output.Bundle{"text/html": Page(p.kernel)}, DisplayID: p.script})
	script, owner := p.script, p.owner
	p.overdue = time.AfterFunc(answerTimeout, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.script == script {
			owner.Stream(output.Stderr, "gonbui: the page has not answered; GoNB's widgets and package dom need a front end that runs scripts and shares Jupyter's address, such as JupyterLab\n")
		}
	})
}

// take handles a message of the program for the page.
func (p *page) take(m Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch m := m.(type) {
	case Subscription:
		if m.Unsubscribe {
			delete(p.wanted, m.Address)
			return
		}
		p.wanted[m.Address] = true
		p.ensure()
		if p.kernel == "" {
			p.endCell()
		}
	case Value:
		p.ensure()
		switch {
		case m.Address == AddressStart || p.kernel == "":
		case p.comm == "":
			p.queue = append(p.queue, m)
		default:
			p.sendPage(m)
		}
	}
}

// endCell interrupts the running cell, which may wait for values of a page that does not exist.
func (p *page) endCell() {
	if _, running := p.host.Execution(); running {
		go p.host.Interrupt() // take must not block
	}
}

// sendPage sends a value to the page, whose comm is open. The caller holds mu.
func (p *page) sendPage(v Value) {
	data, err := ToPage(v)
	if err != nil {
		p.host.Sink().Stream(output.Stderr, "gonbui: "+err.Error()+"\n")
		return
	}
	p.host.Sink().Comm(output.Comm{Kind: output.CommMsg, ID: p.comm, Data: data})
}

// takeComm handles a message of the front end if it belongs to the page's comm, and reports
// whether it does.
func (p *page) takeComm(m output.Comm) (taken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case m.Kind == output.CommOpen && m.Target == CommTarget:
		p.answered(m.ID)
		for _, v := range p.queue {
			p.sendPage(v)
		}
		p.queue = nil
	case p.comm == "" || m.ID != p.comm:
		return false
	case m.Kind == output.CommClose:
		p.comm = ""
	default:
		v, err := FromPage(m.Data)
		if err != nil {
			p.host.Sink().Stream(output.Stderr, "gonbui: "+err.Error()+"\n")
		} else if p.wanted[v.Address] { // gonbui deadlocks on values for other addresses
			p.send(v)
		}
	}
	return true
}

// answered sets the open comm and removes the script from the output, since it would run
// again when a saved notebook is opened. The caller holds mu.
func (p *page) answered(comm string) {
	p.comm = comm
	if p.script == "" {
		return
	}
	p.overdue.Stop()
	p.owner.Display(output.Display{Data: output.Bundle{"text/html": ""}, DisplayID: p.script, Update: true})
	p.script = ""
}
