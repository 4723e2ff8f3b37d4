// Package childenv tells a child process by its environment which cluster it works for.
package childenv

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/perijove/perijove/lib/mp/mpremote"
)

// variable is the environment variable that tells a child process which cluster it works
// for: process id of the parent, build, name, URL and token, one per line. Other programs
// that the child starts inherit it, so it is valid only for children of that parent.
const variable = "PERIJOVE_CLUSTER"

// A Cluster is the cluster that a child process works for.
type Cluster struct {
	Build            [sha256.Size]byte // hash of the program's executable
	Name, URL, Token string
}

// Environ returns the environment variable that tells a child of this process about c.
func (c *Cluster) Environ() []string {
	return []string{variable + "=" + strings.Join([]string{strconv.Itoa(os.Getpid()), hex.EncodeToString(c.Build[:]), c.Name, c.URL, c.Token}, "\n")}
}

// Own returns the cluster that this process works for, or nil if this process is not a child
// that works for a cluster.
func Own() (*Cluster, error) {
	parts := strings.Split(os.Getenv(variable), "\n")
	if len(parts) != 5 || parts[0] != strconv.Itoa(os.Getppid()) {
		return nil, nil
	}
	c := &Cluster{Name: parts[2], URL: parts[3], Token: parts[4]}
	b, err := hex.DecodeString(parts[1])
	if err != nil || len(b) != len(c.Build) {
		return nil, fmt.Errorf("cluster: cannot find the cluster of this worker: the environment variable %s, which package cluster sets, has a malformed value", variable)
	}
	c.Build = [sha256.Size]byte(b)
	return c, nil
}

// Build returns the result of mpremote.Build, or in a child process the build of its
// parent, which the environment contains. A notebook's child has the code of its parent,
// but no file from which the hash could be computed.
func Build() ([sha256.Size]byte, error) {
	c, err := Own()
	switch {
	case err != nil:
		return [sha256.Size]byte{}, err
	case c == nil:
		return mpremote.Build()
	}
	return c.Build, nil
}
