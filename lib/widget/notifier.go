package widget

import "sync"

// A notifier calls functions in a goroutine that it starts. Notifications that arrive
// while the functions run count as one.
type notifier struct {
	mu      sync.Mutex // guards the fields below
	funcs   []func()
	pending bool
	running bool
}

func (n *notifier) add(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.funcs = append(n.funcs, f)
}

// hasFuncs reports whether a notification would call a function, or whether a function is
// running.
func (n *notifier) hasFuncs() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.funcs) > 0 || n.running
}

func (n *notifier) notify() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pending = true
	if !n.running {
		n.running = true
		go n.run()
	}
}

func (n *notifier) run() {
	for {
		n.mu.Lock()
		if !n.pending {
			n.running = false
			n.mu.Unlock()
			return
		}
		n.pending = false
		funcs := n.funcs[:len(n.funcs):len(n.funcs)]
		n.mu.Unlock()
		for _, f := range funcs {
			done := make(chan struct{})
			go func() { // in a notebook, a panic of f ends only this goroutine
				defer close(done)
				f()
			}()
			<-done
		}
	}
}
