package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/link"
	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/mp"
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

// Reads leaves out what generated code declares, and gives variables that had
// to be renamed their own names.
func (h *host) Reads(pc uintptr) []string {
	const mark = "ʹ" // of names that package build makes
	var names []string
	for _, name := range h.w.linker.Reads(pc) {
		plain, suffix, renamed := strings.Cut(name, mark)
		if !renamed || suffix != "" {
			names = append(names, plain)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (h *host) Notice(text string) { h.w.notice(text) }

// ownExecutable is the program of this worker, and of the processes that package
// mp starts.
const ownExecutable = "/proc/self/exe"

func (h *host) Command() (*exec.Cmd, error) {
	cmd := exec.Command(ownExecutable, append([]string{h.w.dir}, h.w.memory.args()...)...)
	cmd.Args[0] = os.Args[0]
	// The pipes of package gonbui are this process's own.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GONB_PIPE") })
	return cmd, nil
}

// Update lists the objects loaded since have.
func (h *host) Update(have int) ([]byte, int, error) {
	loads := h.w.linker.Requests(have)
	now := have + len(loads)
	if len(loads) == 0 {
		return nil, have, nil
	}
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	var configs []string
	for f := range h.w.configs {
		configs = append(configs, f)
	}
	msg, err := json.Marshal(update{loads, configs})
	return msg, now, err
}

type update struct {
	Loads   []link.Request
	Configs []string
}

// Apply loads what the parent has loaded. It initializes packages but runs
// nothing of the cells: variables have their zero or constant values.
func (h *host) Apply(msg []byte) error {
	var u update
	if err := json.Unmarshal(msg, &u); err != nil {
		return err
	}
	h.w.mu.Lock()
	for _, c := range u.Configs {
		if err := h.w.readConfig(c); err != nil {
			h.w.mu.Unlock()
			return err
		}
	}
	h.w.mu.Unlock()
	for _, r := range u.Loads {
		l, err := h.w.linker.Load(r)
		if err != nil {
			return fmt.Errorf("loading %s in a child process: %w", r.Object, err)
		}
		for _, f := range l.Packages {
			f()
		}
	}
	return nil
}

// Message forwards what a child displays; a child ignores messages.
func (h *host) Message(_ *mp.Peer, msg []byte) {
	kind, body, ok := bytes.Cut(msg, []byte("\n"))
	if !ok {
		return
	}
	if string(kind) == control.Result {
		kind = []byte(control.Display)
	}
	var m display.Message
	if m.UnmarshalBinary(body) == nil {
		h.w.output(string(kind), m)
	}
}

// runChild turns this process over to the worker that started it.
func (w *worker) runChild() {
	display.SetSink(w.display)
	mp.RunChild(&host{w: w})
}
