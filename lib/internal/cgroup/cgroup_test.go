package cgroup

import (
	"io/fs"
	"math"
	"testing"
	"testing/fstest"
)

func TestCPU(t *testing.T) {
	const v2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
	const v1 = "31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
	const inside = "32 23 0:28 /docker/ab /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  float64
	}{
		"none":         {map[string]string{}, math.Inf(1)},
		"v2 leaf":      {map[string]string{"proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": v2, "sys/fs/cgroup/a/b/cpu.max": "150000 100000\n"}, 1.5},
		"v2 above":     {map[string]string{"proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": v2, "sys/fs/cgroup/a/cpu.max": "100000 100000\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}, 1},
		"v2 no limit":  {map[string]string{"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": v2, "sys/fs/cgroup/a/cpu.max": "max 100000\n"}, math.Inf(1)},
		"v2 container": {map[string]string{"proc/self/cgroup": "0::/docker/ab\n", "proc/self/mountinfo": inside, "sys/fs/cgroup/cpu.max": "300000 100000\n"}, 3},
		"v1 above": {map[string]string{"proc/self/cgroup": "4:cpu,cpuacct:/x/y\n1:name=systemd:/\n", "proc/self/mountinfo": v1,
			"sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us": "250000", "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us": "100000",
			"sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_period_us": "100000"}, 2.5},
		"tiny": {map[string]string{"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": v2, "sys/fs/cgroup/a/cpu.max": "1000 100000\n"}, 0.01},
	} {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{}
			for path, text := range c.files {
				root[path] = &fstest.MapFile{Data: []byte(text), Mode: fs.ModePerm}
			}
			if got := CPU(root); got != c.want {
				t.Errorf("got %v cores, want %v", got, c.want)
			}
		})
	}
}
