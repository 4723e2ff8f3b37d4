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
	"github.com/perijove/perijove/kernel/internal/standby"
	"github.com/perijove/perijove/lib/display/displayhost"
	"github.com/perijove/perijove/lib/display/plotpng"
	"github.com/perijove/perijove/lib/display/plotsvg"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A host lets package mp start child processes of this worker process. A child runs the same image and loads the same
// objects in the same order, so that code has the same addresses. So the ID of a function consists of its address and
// its symbol; the child compares the symbol with the one that it has at this address.
type host struct{ w *worker }

func (h *host) FuncID(pc uintptr) (string, error) {
	f := runtime.FuncForPC(pc)
	if f == nil || f.Entry() != pc {
		return "", fmt.Errorf("cannot send a function: no function of the notebook starts at the address %#x", pc)
	}
	return fmt.Sprintf("%x %s", pc, f.Name()), nil
}

func (h *host) FuncPC(id string) (uintptr, error) {
	addr, name, _ := strings.Cut(id, " ")
	pc, err := strconv.ParseUint(addr, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("cannot find the function that another process names: its id %q is malformed", id)
	}
	f := runtime.FuncForPC(uintptr(pc))
	if f == nil || f.Entry() != uintptr(pc) || f.Name() != name {
		return 0, fmt.Errorf("cannot run the function %s: the child process has another function at its address; this is a bug in Perijove; please report it", name)
	}
	return uintptr(pc), nil
}

func (h *host) Captures(val, _ uintptr) bool { return !h.w.linker.Constant(val) }

func (h *host) Loaded() (constants, variables mphost.Range) {
	c, v := h.w.linker.Ranges()
	return mphost.Range{Start: c[0], End: c[1]}, mphost.Range{Start: v[0], End: v[1]}
}

// Reads returns the variables that the function at pc uses and that have other values in a child process: zero are
// those that are zero there, and initial those that have their initial values. It leaves out variables of generated
// code, and returns the names that the user has given.
func (h *host) Reads(pc uintptr) (zero, initial []string) {
	const mark = "ʹ" // the mark of generated names, see package mangle
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

// Notice shows a notice for the user. It shows each text only once per cell.
func (h *host) Notice(text string) {
	if h.w.notices.isNew(text) {
		h.w.notice(text)
	}
}

// Context returns the context of the running cell if the cell's own goroutine calls it, else nil. So an interrupt
// cancels the work that the cell has started with package mp.
func (h *host) Context() context.Context {
	if x := h.w.cell.Load(); x != nil && x.g.Load() == preempt.CurrentG() && !x.ended.Load() {
		x.usesLibrary.Store(true)
		return x.ctx
	}
	return nil
}

// Start starts a child process for cmd, or makes the standby that process. It returns the number of load steps that
// the child has already applied.
func (h *host) Start(cmd *exec.Cmd) (have int, err error) {
	if h.w.standbys == nil { // this process is a child
		return 0, cmd.Start()
	}
	if have, ok := h.w.standbys.Take(cmd); ok {
		files, _ := standby.FilesOf(cmd)
		h.w.outputPipes.started(cmd.Process, cmd.Path, files)
		return have, nil
	}
	return 0, cmd.Start()
}

func (h *host) Command() (*exec.Cmd, error) { return h.w.childCommand(), nil }

func (w *worker) childCommand() *exec.Cmd {
	cmd := exec.Command(childPath, append([]string{w.dir}, w.memory.Args()...)...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = childEnviron()
	return cmd
}

// childEnviron returns the environment of this process without the pipes of package
// gonbui, which children must not use.
func childEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GONB_PIPE") })
}

// Update returns the load steps from number have on, encoded as JSON, and the total number of steps.
func (h *host) Update(have int) ([]byte, int, error) {
	steps := h.w.steps.since(have)
	if len(steps) == 0 {
		return nil, have, nil
	}
	msg, err := json.Marshal(steps)
	return msg, have + len(steps), err
}

// Apply repeats load steps of the parent. It initializes the packages that the parent has initialized, and the
// variables whose initializers have no effects. It runs no other code of the cells.
func (h *host) Apply(msg []byte) error {
	var steps []loadStep
	if err := json.Unmarshal(msg, &steps); err != nil {
		return err
	}
	return h.w.repeatAll(steps)
}

func (w *worker) repeatAll(steps []loadStep) error {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // collections would free little and make the start slower
	for _, step := range steps {
		if err := w.applyStep(step); err != nil {
			return err
		}
		w.steps.add(step)
	}
	w.recordLoaded()
	return nil
}

// applyStep repeats a load step of the parent in a child.
func (w *worker) applyStep(step loadStep) error {
	if _, err := w.apply(step); err != nil {
		return fmt.Errorf("cannot load the notebook's packages in a child process: %w", err)
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
		return fmt.Errorf("cannot load the compiled cell %s in a child process: %w", step.Object, err)
	}
	if l.Initial != nil {
		w.first.add(step.Initial, l.Initial)
	}
	return nil
}

// Message handles a message between a parent and a child. In the parent, it shows a display of the child. In a child,
// it receives the acknowledgement of a display.
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
		h.w.showIn(0, m) // in the running cell, in which the output of children is shown, too
	}
	if ack, err := json.Marshal(relay{Seq: r.Seq}); err == nil {
		_ = from.Send(ack) // fails if the child has ended
	}
}

// runChild runs this process as a child of the worker process. It does not return.
func (w *worker) runChild() {
	displayhost.SetSink(w.display)
	displayhost.SetRasterizer(plotpng.Rasterize)
	displayhost.SetVectorizer(plotsvg.Vectorize)
	mphost.RunChild(&host{w: w})
}

// runStandby runs this process as a standby, until it becomes the process of a child.
func (w *worker) runStandby() {
	h := &host{w: w}
	mphost.Set(h)
	if err := standby.Run(h.Apply); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: cannot keep a process on standby:", err)
		exitNow(3)
	}
}

// A standbyHost is the worker process as the host of package standby.
type standbyHost struct{ w *worker }

func (h standbyHost) Command() *exec.Cmd { return h.w.childCommand() }

func (h standbyHost) Idle() bool { return h.w.busy.Load() == 0 }

func (h standbyHost) MemoryLimited() bool { return h.w.memory.Args() != nil }

// Report sends the process ID to the kernel, which does not count the standby's memory as that of a cell.
func (h standbyHost) Report(pid int) {
	if err := h.w.conn.Send(control.Standby{PID: pid}); err != nil {
		endGroup()
	}
}

func (h standbyHost) Updates(have, limit int) (msg []byte, n int) {
	steps := h.w.steps.withoutEffects(have, limit)
	msg, err := json.Marshal(steps)
	if err != nil {
		return nil, 0
	}
	return msg, len(steps)
}
