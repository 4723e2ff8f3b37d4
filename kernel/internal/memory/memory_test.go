package memory

import (
	"fmt"
	"io/fs"
	"os"
	"testing"
	"testing/fstest"
)

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int64{
		"4GB": 4e9, "512 MiB": 512 << 20, "1.5g": 15e8, "2000000": 2e6, "60%": 60, " 3 tb ": 3e12,
	} {
		if got, err := ParseSize(in, 100); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "GB", "-4GB", "4 apples", "0", "101%", "9999999999TB", "1e400GB"} {
		if got, err := ParseSize(in, 100); err == nil {
			t.Errorf("%q is %d", in, got)
		}
	}
}

func TestFormat(t *testing.T) {
	for in, want := range map[int64]string{17: "17 bytes", 4e9: "4 GB", 3_140_000_000: "3.1 GB", 312e6: "312 MB"} {
		if got := Format(in); got != want {
			t.Errorf("%d is %q, want %q", in, got, want)
		}
	}
}

func files(m map[string]string) fstest.MapFS {
	f := fstest.MapFS{}
	for name, text := range m {
		f[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return f
}

const meminfo = "MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\n"

func TestAllowed(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
		whose string
	}{
		"machine": {map[string]string{}, 16000000 << 10, "the machine has"},
		"v2, an ancestor": {map[string]string{
			"proc/self/cgroup":                         "0::/a.slice/b.scope\n",
			"proc/self/mountinfo":                      "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			"sys/fs/cgroup/a.slice/memory.max":         "4000000000\n",
			"sys/fs/cgroup/a.slice/b.scope/memory.max": "max\n",
		}, 4000000000, "the control group allows"},
		"v1": {map[string]string{
			"proc/self/cgroup":                             "4:memory:/x\n3:cpu:/x\n",
			"proc/self/mountinfo":                          "31 24 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/memory/x/memory.limit_in_bytes": "9223372036854771712\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":   "2000000000\n",
		}, 2000000000, "the control group allows"},
		"v1 in a container": {map[string]string{
			"proc/self/cgroup":                           "4:memory:/docker/abc\n",
			"proc/self/mountinfo":                        "31 24 0:27 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000000\n",
		}, 1000000000, "the control group allows"},
	} {
		c.files["proc/meminfo"] = meminfo
		got, whose := Allowed(files(c.files))
		if got != c.want || whose != c.whose {
			t.Errorf("%s: %d (%s), want %d (%s)", name, got, whose, c.want, c.whose)
		}
	}
	if got, _ := Allowed(files(nil)); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
}

func status(anon, shmem int) string {
	return fmt.Sprintf("Name:\tworker\nRssAnon:\t%d kB\nRssFile:\t 30000 kB\nRssShmem:\t%d kB\nVmSwap:\t 1 kB\n", anon, shmem)
}

func TestTree(t *testing.T) {
	for name, m := range map[string]map[string]string{
		"children": {
			"proc/1/task/1/children": "2 ", "proc/1/task/5/children": "3", "proc/2/task/2/children": "", "proc/3/task/3/children": "4 1",
		},
		"parents": {
			"proc/1/task/1/comm": "", "proc/2/task/2/comm": "", "proc/3/task/3/comm": "",
			"proc/1/stat": "1 (a) S 0", "proc/2/stat": "2 (b) 9) S 1 1", "proc/3/stat": "3 (c) S 1", "proc/4/stat": "4 (d) S 3",
		},
	} {
		for pid, s := range map[int]string{1: status(99, 10), 2: status(199, 40), 3: status(49, 0), 4: status(9, 40)} {
			m[fmt.Sprintf("proc/%d/status", pid)] = s
		}
		u := Tree(files(m), 1)
		if want := int64(100+200+50+10+40) << 10; u.Total != want || len(u.Processes) != 4 || u.Biggest.PID != 2 || u.Processes[0].PID != 1 {
			t.Errorf("%s: %+v, want %d in total", name, u, want)
		}
	}
}

// TestTreeAtAStart: a process that a Go program starts shares that program's memory
// until exec, so this memory counts once. The memory of a process that another program
// has forked counts again.
func TestTreeAtAStart(t *testing.T) {
	const forked, own = "S 1 1 1 0 -1 4194368 0", "S 1 1 1 0 -1 4194304 0"
	for name, c := range map[string]struct {
		parent, stat string // of process 3
		want         int64  // kB
	}{
		"of the root":          {"1", forked, 100 + 200 + 3},
		"of a copy":            {"2", forked, 100 + 200 + 3},
		"that runs something":  {"1", own, 100 + 200 + 100 + 4},
		"of another program":   {"4", forked, 100 + 200 + 100 + 4},
		"of another, with own": {"4", own, 100 + 200 + 100 + 4},
	} {
		m := map[string]string{
			"proc/1/task/1/children": "2 4", "proc/2/task/2/children": "", "proc/3/task/3/children": "", "proc/4/task/4/children": "",
			"proc/3/stat": "3 (a) " + c.stat, "proc/4/stat": "4 (a) " + own,
		}
		m[fmt.Sprintf("proc/%s/task/%[1]s/children", c.parent)] += " 3"
		for pid, s := range map[int]string{1: status(100, 0), 2: status(200, 0), 3: status(100, 0), 4: status(0, 0)} {
			m[fmt.Sprintf("proc/%d/status", pid)] = s
		}
		root := files(m)
		for pid, to := range map[int]string{1: "/image/worker", 2: "/image/worker", 3: "/image/worker", 4: "/bin/sh"} {
			root[fmt.Sprintf("proc/%d/exe", pid)] = &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink}
		}
		if u := Tree(root, 1); u.Total != c.want<<10 {
			t.Errorf("a process %s: %+v, want %d in total", name, u, c.want<<10)
		}
	}
}

// TestWithout: the usage without a process does not include memory that only this process has.
func TestWithout(t *testing.T) {
	m := map[string]string{"proc/1/task/1/children": "2 3", "proc/2/task/2/children": "", "proc/3/task/3/children": ""}
	for pid, s := range map[int]string{1: status(99, 10), 2: status(199, 40), 3: status(49, 20)} {
		m[fmt.Sprintf("proc/%d/status", pid)] = s
	}
	all := Tree(files(m), 1)
	for pid, want := range map[int]Usage{
		2: {Total: (100 + 50 + 20) << 10, Processes: []Process{{PID: 1}, {PID: 3}}, Biggest: Process{PID: 1}},
		7: {Total: all.Total, Processes: all.Processes, Biggest: all.Biggest},
	} {
		u, bytes := all.Without(pid)
		if u.Total != want.Total || len(u.Processes) != len(want.Processes) || u.Biggest.PID != want.Biggest.PID {
			t.Errorf("without %d: %+v, want %+v", pid, u, want)
		}
		if pid == 2 && bytes != 200<<10 || pid == 7 && bytes != 0 {
			t.Errorf("process %d uses %d", pid, bytes)
		}
	}
}

func TestThisProcess(t *testing.T) {
	u := Tree(os.DirFS("/"), os.Getpid())
	if u.Total == 0 || len(u.Processes) == 0 || u.Processes[0].PID != os.Getpid() {
		t.Errorf("%+v", u)
	}
	if n, whose := Allowed(os.DirFS("/")); n < u.Total || whose == "" {
		t.Errorf("%d are allowed (%q), %d are used", n, whose, u.Total)
	}
	if free, total := Available(os.DirFS("/")); free <= 0 || total < free {
		t.Errorf("%d of %d are available", free, total)
	}
}
