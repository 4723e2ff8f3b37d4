package supervisor

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestParseMemoryLimit(t *testing.T) {
	root := fstest.MapFS{"proc/meminfo": &fstest.MapFile{Data: []byte("MemTotal: 16000000 kB\n")}}
	for in, want := range map[string]string{
		"4GB": "4 GB", "off": "no limit", "50%": "8.2 GB (50% of the 16 GB that the machine has)",
	} {
		if l, err := ParseMemoryLimit(in, root); err != nil || l.String() != want {
			t.Errorf("%s is %q, %v; want %q", in, l, err, want)
		}
	}
	t.Setenv(limitVariable, "much")
	if l, err := InitialMemoryLimit(); err == nil || l.Bytes == 0 {
		t.Errorf("of nonsense: %v, %v; want the default and an error", l, err)
	}
}

// TestRuntimeFault: a memory fault in the garbage collector is reported as lack of memory,
// since it happens when the operating system refuses to give the collector memory.
func TestRuntimeFault(t *testing.T) {
	refused := "SIGSEGV: segmentation violation\nPC=0x43a77d m=5 sigcode=1 addr=0x0\n\n" +
		"goroutine 0 gp=0x1f12868905a0 m=5 mp=0x1f1286896008 [idle]:\nruntime.(*spanQueue).tryDrain(0x2)\n\t/usr/local/go/src/runtime/x.go:520 +0x5d\n\n" +
		"goroutine 1 [syscall]:\nmain.f()\n\tCell [1]:2 +0x5\n"
	sent := strings.Replace(refused, "sigcode=1 addr=0x0", "sigcode=0", 1) // as if kill had sent the signal
	w := &Worker{}
	w.memoryLimit.Store(&MemoryLimit{Bytes: 1e9})
	for held, want := range map[string]bool{refused: true, sent: false} {
		w.crash.held = []byte(held)
		if got := w.outOfMemory(w.crash.Cause()) != ""; got != want {
			t.Errorf("out of memory: %v, want %v, for\n%s", got, want, held)
		}
	}
	w.memoryLimit.Store(&MemoryLimit{})
	w.crash.held = []byte(refused)
	if text := w.outOfMemory(w.crash.Cause()); text != "" {
		t.Errorf("without a limit: %s", text)
	}
}
