package procfs

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"testing/fstest"
)

func TestMachine(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Times
		ok   bool
	}{
		{"cpu  1 2 4 1000 2000 8 16 32 64 0\ncpu0 9 9\n", Times{Busy: 1 + 2 + 4 + 8 + 16 + 32, Total: 3063}, true},
		{"cpu 1 2 4 1000 2000 8 16 32", Times{Busy: 63, Total: 3063}, true},
		{"cpu 1 2 4", Times{}, false},
		{"cpu 1 2 4 1000 2000 8 x 32 64 0\n", Times{}, false},
		{"intr 1 2 4 1000 2000 8 16 32 64 0\n", Times{}, false},
		{"", Times{}, false},
	} {
		got, ok := Machine(fstest.MapFS{"proc/stat": {Data: []byte(tt.text)}})
		if got != tt.want || ok != tt.ok {
			t.Errorf("%q: got %+v, %v, want %+v, %v", tt.text, got, ok, tt.want, tt.ok)
		}
	}
	if _, ok := Machine(fstest.MapFS{}); ok {
		t.Error("times were read where there is no proc")
	}
}

func stat(pid int, name string, parent, utime int) *fstest.MapFile {
	return &fstest.MapFile{Data: fmt.Appendf(nil, "%d (%s) S %d 0 0 0 0 0 0 0 0 0 %d 1 10 100 0 0 1 0 5 4096 %d 0", pid, name, parent, utime, pid)}
}

func TestTreeOfProcesses(t *testing.T) {
	root := fstest.MapFS{
		"proc/1/stat":    stat(1, "init", 0, 7000),
		"proc/50/stat":   stat(50, "a ) b", 1, 1000),
		"proc/51/stat":   stat(51, "child) S 1", 50, 2000),
		"proc/52/stat":   stat(52, "its child", 51, 4000),
		"proc/60/stat":   stat(60, "a stranger", 1, 8000),
		"proc/61/stat":   {Data: []byte("61 (cut) S 50")},
		"proc/62/stat":   {Data: []byte("")},
		"proc/self/stat": stat(50, "a ) b", 1, 1000),
	}
	all := Processes(root)
	if len(all) != 5 {
		t.Errorf("read %+v, want 5 processes", all)
	}
	var pids []int
	var ticks, ended, pages int64
	for _, p := range Tree(all, 50) {
		pids = append(pids, p.PID)
		ticks, ended, pages = ticks+p.Ticks, ended+p.ChildTicks, pages+p.Pages
	}
	if !slices.Equal(pids, []int{50, 51, 52}) || ticks != 7003 || ended != 3*110 || pages != 153 {
		t.Errorf("tree %v with %d ticks, %d of ended children, %d pages", pids, ticks, ended, pages)
	}
	if tree := Tree(all, 77); len(tree) != 0 {
		t.Errorf("a process that does not exist has the tree %v", tree)
	}
	if tree := Tree([]Process{{PID: 2, Parent: 3}, {PID: 3, Parent: 2}}, 2); len(tree) != 2 {
		t.Errorf("a cycle has the tree %v", tree)
	}
}

func TestThisProcess(t *testing.T) {
	all := Processes(os.DirFS("/"))
	at := slices.IndexFunc(all, func(p Process) bool { return p.PID == os.Getpid() })
	if runtime.GOOS != "linux" {
		if at >= 0 {
			t.Errorf("found without proc: %+v", all[at])
		}
		return
	}
	if at < 0 || all[at].Parent != os.Getppid() || all[at].Pages == 0 {
		t.Errorf("this process is at %d of %d", at, len(all))
	}
}
