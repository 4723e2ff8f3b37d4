package goruntime

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestWaitReasons compares the numbers with the runtime's source.
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
