// Package cgroup reads the CPU quota of this process from its Linux control groups.
// Without control groups, as on other systems, there is no quota.
package cgroup

import (
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// CPU returns the smallest CPU quota of this process's control groups and their
// parents, in cores, such as 1.5. It returns +Inf if there is no quota. root is the
// file system that contains proc and sys.
func CPU(root fs.FS) float64 {
	least := math.Inf(1)
	for _, g := range groups(root) {
		// In a container the group's path may be outside of the mounted hierarchy. Then
		// path is "/", and the quota is that of the root of the mount.
		for dir := g.path; ; dir = path.Dir(dir) {
			if q, ok := g.quota(root, path.Join(g.mount, dir)); ok {
				least = min(least, q)
			}
			if dir == "/" || dir == "." {
				break
			}
		}
	}
	return least
}

// A group is a control group of this process.
type group struct {
	mount string // without the leading slash
	path  string // below mount
	v1    bool   // of version 1 of control groups
}

func groups(root fs.FS) []group {
	member, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return nil
	}
	mounts, err := fs.ReadFile(root, "proc/self/mountinfo")
	if err != nil {
		return nil
	}
	var list []group
	for line := range strings.Lines(string(member)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		v1 := f[0] != "0"
		if v1 && !slices.Contains(strings.Split(f[1], ","), "cpu") {
			continue
		}
		if at, below, ok := mountOf(string(mounts), v1); ok {
			list = append(list, group{mount: at, path: relativeTo(below, f[2]), v1: v1})
		}
	}
	return list
}

// mountOf finds the mount of the hierarchy with the cpu controller. at is the mount point,
// and below is the directory of the hierarchy that is mounted there.
func mountOf(mountinfo string, v1 bool) (at, below string, ok bool) {
	for line := range strings.Lines(mountinfo) {
		front, back, _ := strings.Cut(strings.TrimSpace(line), " - ")
		f, b := strings.Fields(front), strings.Fields(back)
		if len(f) < 5 || len(b) < 3 {
			continue
		}
		if (v1 && b[0] == "cgroup" && slices.Contains(strings.Split(b[2], ","), "cpu")) || (!v1 && b[0] == "cgroup2") {
			return strings.TrimPrefix(f[4], "/"), f[3], true
		}
	}
	return "", "", false
}

func relativeTo(base, p string) string {
	if base == "/" {
		return p
	}
	if rest, ok := strings.CutPrefix(p, base); ok && (rest == "" || rest[0] == '/') {
		return "/" + strings.TrimPrefix(rest, "/")
	}
	return "/"
}

// quota reads the quota of one directory, in cores. It returns false if there is none.
func (g group) quota(root fs.FS, dir string) (float64, bool) {
	if g.v1 {
		quota, ok1 := readNumber(root, path.Join(dir, "cpu.cfs_quota_us"))
		period, ok2 := readNumber(root, path.Join(dir, "cpu.cfs_period_us"))
		return quota / period, ok1 && ok2 && quota > 0 && period > 0
	}
	b, err := fs.ReadFile(root, path.Join(dir, "cpu.max"))
	f := strings.Fields(string(b))
	if err != nil || len(f) != 2 || f[0] == "max" {
		return 0, false
	}
	quota, err1 := strconv.ParseFloat(f[0], 64)
	period, err2 := strconv.ParseFloat(f[1], 64)
	return quota / period, err1 == nil && err2 == nil && quota > 0 && period > 0
}

func readNumber(root fs.FS, name string) (float64, bool) {
	b, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
	return n, err == nil
}
