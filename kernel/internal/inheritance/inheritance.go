// Package inheritance describes the attributes of this process that its child processes inherit.
package inheritance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Describe returns a text with the attributes that a process would inherit if the calling thread started cmd now. The
// folder and the files of cmd do not count. Two calls return the same text only if the attributes are the same.
// memoryLimited says whether each start of a process sets RLIMIT_DATA, as package memorylimit does.
func Describe(cmd *exec.Cmd, memoryLimited bool) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %q %q %d %+v\n", cmd.Path, cmd.Args, cmd.Environ(), cmd.Dir, len(cmd.ExtraFiles), cmd.SysProcAttr)
	for _, part := range []func(*strings.Builder) error{threadStatus, scheduling, attributes, namespaces, openFiles} {
		if err := part(&b); err != nil {
			return "", err
		}
	}
	if err := limits(&b, memoryLimited); err != nil {
		return "", err
	}
	return b.String(), nil
}

// threadStatus writes the lines of the thread's status with inherited attributes.
func threadStatus(b *strings.Builder) error {
	text, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return err
	}
	for line := range bytes.Lines(text) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		switch string(name) {
		case "Umask", "Uid", "Gid", "Groups", "SigBlk", "SigIgn", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
			"NoNewPrivs", "Seccomp", "Seccomp_filters", "THP_enabled", "Cpus_allowed", "Mems_allowed":
			b.Write(line)
		}
	}
	return nil
}

// limits writes the resource limits, without RLIMIT_DATA if memory is limited.
func limits(b *strings.Builder, memoryLimited bool) error {
	for r := range unix.RLIMIT_RTTIME + 1 {
		var l unix.Rlimit
		if r == unix.RLIMIT_DATA && memoryLimited {
			continue
		}
		if err := unix.Getrlimit(r, &l); err != nil {
			return err
		}
		fmt.Fprintln(b, r, l.Cur, l.Max)
	}
	return nil
}

// scheduling writes the thread's priorities and other attributes that only system calls return.
func scheduling(b *strings.Builder) error {
	nice, _, e1 := unix.RawSyscall(unix.SYS_GETPRIORITY, unix.PRIO_PROCESS, 0, 0)
	policy, _, e2 := unix.RawSyscall(unix.SYS_SCHED_GETSCHEDULER, 0, 0, 0)
	const ioprioProcess = 1 // IOPRIO_WHO_PROCESS
	io, _, e3 := unix.RawSyscall(unix.SYS_IOPRIO_GET, ioprioProcess, 0, 0)
	slack, _, e4 := unix.RawSyscall(unix.SYS_PRCTL, unix.PR_GET_TIMERSLACK, 0, 0)
	secure, _, e5 := unix.RawSyscall(unix.SYS_PRCTL, unix.PR_GET_SECUREBITS, 0, 0)
	const ask = 0xffffffff // returns the personality without a change
	personality, _, e6 := unix.RawSyscall(unix.SYS_PERSONALITY, ask, 0, 0)
	fmt.Fprintln(b, nice, e1, policy, e2, io, e3, slack, e4, secure, e5, personality, e6)
	return nil
}

// attributes writes attributes from files in /proc. Some Linux kernels do not have all of them.
func attributes(b *strings.Builder) error {
	for _, name := range []string{"oom_score_adj", "coredump_filter", "cgroup"} {
		text, err := os.ReadFile("/proc/thread-self/" + name)
		if err != nil {
			text = []byte(err.Error())
		}
		fmt.Fprintf(b, "%s\n", text)
	}
	return nil
}

// namespaces writes the thread's namespaces and root directory.
func namespaces(b *strings.Builder) error {
	for _, name := range []string{"cgroup", "ipc", "mnt", "net", "pid_for_children", "time_for_children", "user", "uts"} {
		to, err := os.Readlink("/proc/thread-self/ns/" + name)
		fmt.Fprintln(b, to, err)
	}
	var st unix.Stat_t
	if err := unix.Stat("/", &st); err != nil {
		return err
	}
	fmt.Fprintln(b, st.Dev, st.Ino)
	return nil
}

// maxOpenFiles is the number of open files at which openFiles fails.
const maxOpenFiles = 1024

// openFiles writes the files, besides the standard streams, that a process inherits, since
// they are not closed at exec.
func openFiles(b *strings.Builder) error {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(maxOpenFiles)
	if err != nil {
		return err
	}
	if len(names) == maxOpenFiles {
		return fmt.Errorf("this process has %d open files or more, too many to examine each", maxOpenFiles)
	}
	slices.Sort(names)
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil {
			return err
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if fd <= 2 || err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue // the file was closed since, or it is dir
		}
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return err
		}
		mode, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		fmt.Fprintln(b, fd, st.Dev, st.Ino, mode, err)
	}
	return nil
}
