package faulttest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// In the namespaces of the test, the bridge has the address bridgeAddress; servers and
// processes with workers have the addresses after it.
const (
	bridge        = "faults"
	bridgeAddress = "10.77.0.1"
	clientPort    = 4222
	clusterPort   = 6222
)

// insideCommand returns the command that runs this program in its own network and mount
// namespaces, with the rights to change them.
func insideCommand(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	a := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	cmd.SysProcAttr = a
	return cmd
}

// ip runs the ip command of iproute2.
func ip(line string) error {
	if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", line, err, out)
	}
	return nil
}

func ipAll(lines ...string) error {
	for _, line := range lines {
		if err := ip(line); err != nil {
			return err
		}
	}
	return nil
}

// setInterface configures the interface eth0 of this process's network namespace.
func setInterface(address string) error {
	return ipAll("link set lo up", "addr add "+address+"/24 dev eth0", "link set eth0 up")
}

// namespaces connects processes by a bridge and a pair of interfaces each.
type namespaces struct{ processes int }

// newNamespaces makes the bridge in the namespaces that insideCommand has made.
func newNamespaces(*nodes) (network, error) {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("mount namespace: %w", err)
	}
	return new(namespaces), ipAll("link set lo up", "link add "+bridge+" type bridge",
		"addr add "+bridgeAddress+"/24 dev "+bridge, "link set "+bridge+" up")
}

// probe reports whether this process may make the interfaces and file systems that the test
// needs.
func probe() error {
	n, err := newNamespaces(nil)
	if err != nil {
		return err
	}
	if err := mountStore(os.TempDir()); err != nil {
		return err
	}
	p := &process{cmd: exec.Command("sleep", "1000")}
	n.prepare(p)
	if err := p.cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}()
	return n.join(p)
}

func (n *namespaces) name() string    { return "namespaces" }
func (n *namespaces) address() string { return bridgeAddress }
func (n *namespaces) isDirect() bool  { return true }

func nodeHost(i int) string { return fmt.Sprintf("10.77.0.%d", 11+i) }

func (n *namespaces) server(i int) config {
	c := config{Interface: nodeHost(i), Host: nodeHost(i), ClientPort: clientPort, ClusterPort: clusterPort}
	for j := range nodeCount {
		c.Routes = append(c.Routes, net.JoinHostPort(nodeHost(j), fmt.Sprint(clusterPort)))
	}
	return c
}

func (n *namespaces) prepare(p *process) {
	n.processes++
	p.outer = fmt.Sprintf("veth%d", n.processes)
	if p.config.Interface == "" {
		p.config.Interface = fmt.Sprintf("10.77.0.%d", 20+n.processes)
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
}

func (n *namespaces) join(p *process) error {
	return ipAll(fmt.Sprintf("link add %s type veth peer name eth0 netns %d", p.outer, p.cmd.Process.Pid),
		fmt.Sprintf("link set %s master %s up", p.outer, bridge))
}

func (n *namespaces) cut(p *process) error     { return ip("link set " + p.outer + " down") }
func (n *namespaces) restore(p *process) error { return ip("link set " + p.outer + " up") }

// mountStore mounts a file system in memory on a folder.
func mountStore(folder string) error {
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=1g"); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	return nil
}

// resize changes the size of the file system that mountStore has mounted. With 0 bytes, the
// size becomes that of the content.
func resize(folder string, bytes uint64) error {
	for tries := 0; ; tries++ {
		size := bytes
		if size == 0 {
			var s syscall.Statfs_t
			if err := syscall.Statfs(folder, &s); err != nil {
				return fmt.Errorf("statfs: %w", err)
			}
			size = (s.Blocks - s.Bfree) * uint64(s.Bsize)
		}
		err := syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", size))
		switch {
		case err == nil:
			return nil
		case err == syscall.EINVAL && bytes == 0 && tries < 1000: // the content has grown meanwhile
		default:
			return fmt.Errorf("mount tmpfs: %w", err)
		}
	}
}
