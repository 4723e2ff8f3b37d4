package memory

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// Allowed returns how much memory this process may use: what the machine has,
// or less if a control group or one of its parents says so. whose says which.
// root is the file system that has proc and sys. Where nothing can be read, the
// amount is 0.
func Allowed(root fs.FS) (bytes int64, whose string) {
	least, whose := int64(math.MaxInt64), ""
	if b, err := fs.ReadFile(root, "proc/meminfo"); err == nil {
		if n := field(string(b), "MemTotal:"); n > 0 {
			least, whose = n, "the machine has"
		}
	}
	for _, g := range groups(root) {
		// In a container the group's path may lie outside of what is mounted:
		// then the mount's own root is the one to ask.
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

// field reads a line "NAME   123 kB", in bytes; 0 if there is none.
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
	mount string // without the leading slash
	path  string // below mount
	file  string // the limit's
}

// groups reads them from /proc/self: version 2 has one line "0::PATH", version
// 1 one with the controller's name.
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

// mountOf reads a line of mountinfo: where a hierarchy of control groups is
// mounted, and which of its groups is the root there.
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

// limit reads the group's own limit; 0 means that it has none.
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
