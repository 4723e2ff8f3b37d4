package link

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestWaitReasons pins the numbers against the runtime's source.
func TestWaitReasons(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "src/runtime/runtime2.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^\twaitReason\w+ .*// "(.*)"$`).FindAllSubmatch(src, -1)
	want := map[string]State{
		"IO wait": Waiting, "sleep": Waiting, "coroutine": Blocked, "semacquire": Blocked,
		"chan receive (nil chan)": Blocked, "chan send (nil chan)": Blocked, "select (no cases)": Blocked,
		"select": Blocked, "chan receive": Blocked, "chan send": Blocked, "sync.Cond.Wait": Blocked, "sync.Mutex.Lock": Blocked,
		"sync.RWMutex.RLock": Blocked, "sync.RWMutex.Lock": Blocked, "sync.WaitGroup.Wait": Blocked,
		"GC sweep wait": Idle, "GC scavenge wait": Idle, "finalizer wait": Idle, "force gc (idle)": Idle,
		"GOMAXPROCS updater (idle)": Idle, "GC worker (idle)": Idle, "cleanup wait": Idle,
	}
	found := 0
	for i, m := range names {
		got := waitReasons[uint8(i)]
		if idleReasons[uint8(i)] {
			got = Idle
		}
		name := string(m[1])
		if got != want[name] {
			t.Errorf("reason %d, %q, counts as %d, want %d", i, name, got, want[name])
		}
		if want[name] != Gone {
			found++
		}
	}
	if found != len(want) {
		t.Errorf("%d of %d reasons are in the source", found, len(want))
	}
}

// TestPCTable: what is written is read back, at the ends of each run.
func TestPCTable(t *testing.T) {
	m := &module{pctab: &table{buf: make([]byte, 100), n: 1}}
	off, err := m.pcTable(pcRun{-2, 5}, pcRun{40, 300}, pcRun{48, 7})
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[uint32]int32{0: -2, 4: -2, 5: 40, 304: 40, 305: 48, 311: 48} {
		if got := m.pcValue(off, at); got != want {
			t.Errorf("at %d: %d, want %d", at, got, want)
		}
	}
}

// TestFunctionRecord: a description is read back as it was written.
func TestFunctionRecord(t *testing.T) {
	m := testModule(1 << 16)
	m.funcs = &table{buf: make([]byte, 1000), n: 8}
	f := function{
		entry: m.text.base + 32, size: 100, name: 2, args: 3, deferreturn: 4, pcsp: 5, pcfile: 6, pcline: 7, unit: 8,
		startLine: 9, id: 10, flag: 11, pcdata: []uint32{12, 13}, funcdata: []uint32{14, none, 16},
	}
	if err := m.emit(f); err != nil {
		t.Fatal(err)
	}
	got := m.function(m.findFunc(f.entry + 50))
	got.size = f.size
	if !reflect.DeepEqual(got, f) {
		t.Errorf("got %+v, want %+v", got, f)
	}
}
