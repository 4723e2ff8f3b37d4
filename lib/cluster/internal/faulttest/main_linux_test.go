package faulttest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

var (
	taskCount   = flag.Int("tasks", 3000, "number of tasks that are run at least")
	cutTime     = flag.Duration("cut", 3*time.Second, "how long links are cut or slow")
	only        = flag.String("only", "", "a regular expression of the names of the faults; by default all")
	networkName = flag.String("network", "", `"namespaces" or "loopback"; by default namespaces if this process may make them`)
)

// roleVariable is the environment variable that tells a process of the test which role it
// has; configVariable has its config.
const (
	roleVariable   = "FAULTTEST_ROLE"
	configVariable = "FAULTTEST_CONFIG"
)

// token is the token that the servers require.
const token = "the token of the test"

// A config configures a process of the test.
type config struct {
	Name      string
	Interface string // the address of eth0 in the process's network namespace; empty on loopback
	Host      string // where a server listens

	// Of a server:
	ClientPort, ClusterPort int // -1 for any
	Advertise               string
	Routes                  []string
	Store                   string

	// Of a process with workers, or a program:
	URL     string
	Workers int

	// Of a program that starts a job:
	Tasks int
}

func TestMain(m *testing.M) {
	mp.Init()
	switch role := os.Getenv(roleVariable); role {
	case "server":
		exit(serve)
	case "probe":
		if err := probe(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case "worker":
		exit(work)
	case "program":
		exit(submit)
	}
	os.Exit(m.Run())
}

// exit waits until the test writes a line to standard input, and then runs a role. The
// process ends when the role ends, or when the test writes again or closes standard input.
func exit(role func(config) error) {
	var c config
	err := json.Unmarshal([]byte(os.Getenv(configVariable)), &c)
	if err == nil {
		_, err = os.Stdin.Read(make([]byte, 1))
	}
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}()
	if err == nil && c.Interface != "" {
		err = setInterface(c.Interface)
	}
	if err == nil {
		err = role(c)
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", c.Name, err)
	os.Exit(1)
}
