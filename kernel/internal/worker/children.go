package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/preempt"
	"github.com/perijove/perijove/lib/display/displayhost"
	"github.com/perijove/perijove/lib/display/plotpng"
	"github.com/perijove/perijove/lib/display/plotsvg"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A host lets package mp start children of this worker. A child is another
// worker from the same image that loads the same objects in the same order:
// code then has the same addresses, so a function is named by its own, and by
// the symbol, which the child compares.
type host struct{ w *worker }

func (h *host) FuncID(pc uintptr) (string, error) {
	f := runtime.FuncForPC(pc)
	if f == nil || f.Entry() != pc {
		return "", fmt.Errorf("no function starts at %#x", pc)
	}
	return fmt.Sprintf("%x %s", pc, f.Name()), nil
}

func (h *host) FuncPC(id string) (uintptr, error) {
	addr, name, _ := strings.Cut(id, " ")
	pc, err := strconv.ParseUint(addr, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("malformed function id %q", id)
	}
	f := runtime.FuncForPC(uintptr(pc))
	if f == nil || f.Entry() != uintptr(pc) || f.Name() != name {
		return 0, fmt.Errorf("function %s is not the same in the child process", name)
	}
	return uintptr(pc), nil
}

func (h *host) Captures(val, _ uintptr) bool { return !h.w.linker.Constant(val) }

func (h *host) Loaded() (constants, variables mphost.Range) {
	c, v := h.w.linker.Ranges()
	return mphost.Range{Start: c[0], End: c[1]}, mphost.Range{Start: v[0], End: v[1]}
}

// Reads leaves out what generated code declares, and gives variables that had
// to be renamed their own names.
func (h *host) Reads(pc uintptr) (zero, initial []string) {
	const mark = "ʹ" // of names that package program makes
	for _, name := range h.w.linker.Reads(pc) {
		known, altered := h.w.first.of("main." + name)
		plain, suffix, renamed := strings.Cut(name, mark)
		switch {
		case renamed && suffix == "":
		case !known:
			zero = append(zero, plain)
		case altered:
			initial = append(initial, plain)
		}
	}
	slices.Sort(zero)
	slices.Sort(initial)
	return slices.Compact(zero), slices.Compact(initial)
}

// Notice shows a text once per cell.
func (h *host) Notice(text string) {
	if h.w.notices.isNew(text) {
		h.w.notice(text)
	}
}

// Context is that of the cell whose own goroutine calls: an interrupt cancels
// what it started with package mp, and what it waits for.
func (h *host) Context() context.Context {
	if x := h.w.cell.Load(); x != nil && x.g.Load() == preempt.CurrentG() && !x.ended.Load() {
		x.usesLibrary.Store(true)
		return x.ctx
	}
	return nil
}

func (h *host) Command() (*exec.Cmd, error) { return h.w.childCommand(), nil }

func (w *worker) childCommand() *exec.Cmd {
	cmd := exec.Command(childPath, append([]string{w.dir}, w.memory.args()...)...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = childEnviron()
	return cmd
}

// childEnviron is this process's environment, without the pipes of package
// gonbui, which are its own.
func childEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GONB_PIPE") })
}

// Update lists the objects loaded since have.
func (h *host) Update(have int) ([]byte, int, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	h.w.flushInitialized()
	now := len(h.w.steps)
	if have >= now {
		return nil, have, nil
	}
	msg, err := json.Marshal(h.w.steps[have:])
	return msg, now, err
}

// Apply loads what the parent has loaded. It initializes the packages that the
// parent has initialized, and variables by expressions without effects, but runs
// nothing else of the cells.
func (h *host) Apply(msg []byte) error {
	var steps []loadStep
	if err := json.Unmarshal(msg, &steps); err != nil {
		return err
	}
	return h.w.repeatAll(steps)
}

func (w *worker) repeatAll(steps []loadStep) error {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // what is loaded stays, and a child should be there soon
	for _, step := range steps {
		if err := w.applyStep(step); err != nil {
			return err
		}
		w.mu.Lock()
		w.addStep(step)
		w.mu.Unlock()
	}
	w.recordLoaded()
	return nil
}

// applyStep does in a child what the parent did.
func (w *worker) applyStep(step loadStep) error {
	if _, err := w.apply(step); err != nil {
		return fmt.Errorf("packages in a child process: %w", err)
	}
	for _, path := range step.Initialize {
		if err := w.initializeInChild(path); err != nil {
			return err
		}
	}
	if step.First != nil {
		w.giveFirstValues(step.First)
	}
	if step.Object == "" && step.Gap == 0 {
		return nil
	}
	l, err := w.linker.Load(step.Request)
	if err != nil {
		return fmt.Errorf("loading %s in a child process: %w", step.Object, err)
	}
	if l.Initial != nil {
		w.first.add(step.Initial, l.Initial)
	}
	return nil
}

// A relay is a display on its way from a child to its parent, or the parent's
// acknowledgement.
type relay struct {
	Seq    int
	Output []byte // a displayhost.Message; empty in an acknowledgement
}

// askParent hands a display to the parent, and waits until it was delivered:
// what is printed afterwards then comes after it.
func (w *worker) askParent(p *mphost.Peer, m displayhost.Message) {
	output, err := m.MarshalBinary()
	if err != nil {
		output, _ = unshowable(err).MarshalBinary()
	}
	seq, ch := w.pending.Await()
	msg, err := json.Marshal(relay{Seq: seq, Output: output})
	if err == nil {
		err = p.Send(msg)
	}
	if err == nil { // else the parent is gone, and soon this process
		<-ch
	}
}

// Message forwards what a child displays, and takes acknowledgements in the child.
func (h *host) Message(from *mphost.Peer, msg []byte) {
	var r relay
	if err := json.Unmarshal(msg, &r); err != nil {
		return
	}
	if len(r.Output) == 0 {
		h.w.pending.Answer(r.Seq, control.Ack{Seq: r.Seq})
		return
	}
	var m displayhost.Message
	if m.UnmarshalBinary(r.Output) == nil {
		h.w.showIn(0, m) // as what it prints
	}
	if ack, err := json.Marshal(relay{Seq: r.Seq}); err == nil {
		_ = from.Send(ack) // a child that is gone waits no more
	}
}

// runChild turns this process over to the worker that started it.
func (w *worker) runChild() {
	displayhost.SetSink(w.display)
	displayhost.SetRasterizer(plotpng.Rasterize)
	displayhost.SetVectorizer(plotsvg.Vectorize)
	mphost.RunChild(&host{w: w})
}
