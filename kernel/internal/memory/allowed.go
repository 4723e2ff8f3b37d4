package memory

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// Allowed returns how much memory this process may use, in bytes. That is the machine's memory, or the limit of the
// process's control group or of a parent group if that limit is lower. whose names the machine or the group whose
// limit applies. root is the file system that contains proc and sys. If nothing can be read, the result is 0.
func Allowed(root fs.FS) (bytes int64, whose string) {
	least, whose := int64(math.MaxInt64), ""
	if b, err := fs.ReadFile(root, "proc/meminfo"); err == nil {
		if n := field(string(b), "MemTotal:"); n > 0 {
			least, whose = n, "the machine has"
		}
	}
	for _, g := range groups(root) {
		// In a container, the group's path may not be in the mounted hierarchy. Then the limit of the mount's root
		// applies.
		for dir := g.path; ; dir = path.Dir(dir) {
			if n := g.limit(root, dir); n > 0 && n < least {
				least, whose = n, "the control group allows"
			}
			if dir == "/" || dir == "." {
				break
			}
		}
	}
	if least == math.MaxInt64 {
		return 0, ""
	}
	return least, whose
}

// field returns the value of a line "NAME   123 kB" in bytes, or 0 if there is none.
func field(text, name string) int64 {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			f := strings.Fields(rest)
			if len(f) == 0 {
				return 0
			}
			n, err := strconv.ParseInt(f[0], 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}

// A group is a control group that governs this process's memory.
type group struct {
	mount string // mount point, without the leading slash
	path  string // path below mount
	file  string // name of the file with the limit
}

// groups returns this process's memory control groups according to /proc/self/cgroup. For
// version 2, that file has a line "0::PATH"; for version 1, it has a line with the name of the controller.
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
		v2 := f[0] == "0" && f[1] == ""
		if !v2 && !listed(f[1], "memory") {
			continue
		}
		kind, file := "cgroup", "memory.limit_in_bytes"
		if v2 {
			kind, file = "cgroup2", "memory.max"
		}
		for line := range strings.Lines(string(mounts)) {
			if at, from, ok := mountOf(line, kind, v2); ok {
				list = append(list, group{mount: at, path: below(f[2], from), file: file})
			}
		}
	}
	return list
}

// mountOf parses a line of mountinfo. If it is about a hierarchy of control groups, mountOf
// returns the mount point and the group that is the root there.
func mountOf(line, kind string, v2 bool) (at, from string, ok bool) {
	before, after, ok := strings.Cut(line, " - ")
	b, a := strings.Fields(before), strings.Fields(after)
	if !ok || len(b) < 5 || len(a) < 3 || a[0] != kind || !v2 && !listed(a[2], "memory") {
		return "", "", false
	}
	return strings.TrimPrefix(b[4], "/"), b[3], true
}

func below(dir, from string) string {
	if from == "/" {
		return dir
	}
	if rest, ok := strings.CutPrefix(dir, from); ok && (rest == "" || rest[0] == '/') {
		return path.Clean("/" + rest)
	}
	return "/"
}

func listed(list, name string) bool {
	for s := range strings.SplitSeq(list, ",") {
		if s == name {
			return true
		}
	}
	return false
}

// limit returns the limit of the group in dir, in bytes, or 0 if it has none.
func (g group) limit(root fs.FS, dir string) int64 {
	b, err := fs.ReadFile(root, path.Join(g.mount, dir, g.file))
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil { // "max"
		return 0
	}
	return n
}
