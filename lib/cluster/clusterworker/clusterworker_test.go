package clusterworker

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

func TestMain(m *testing.M) {
	mp.Init()
	os.Exit(m.Run())
}

// TestArguments: wrong arguments have errors that say what to do.
func TestArguments(t *testing.T) {
	for args, want := range map[string]string{
		"":                             "the URL of the NATS server is missing: write --nats URL",
		"--nats nats://h extra":        `the program takes only options, but the argument "extra" is none`,
		"--nats nats://h --tls-cert c": "only one of the options --tls-cert and --tls-key is given",
		"--nats nats://h --nkey /no":   "cannot read the seed of an nkey (option --nkey) from /no",
		"--nats nats://127.0.0.1:1":    "no NATS server answers at nats://127.0.0.1:1: start nats-server with -js there, or name another server with --nats: ",
		"--nats nats://h --name a.b":   `Name("a.b")`,
		"--workers many":               "invalid value",
	} {
		if err := run(context.Background(), strings.Fields(args), mpsource.Program{}, "nb.ipynb", io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", args, err, want)
		}
	}
	var help strings.Builder
	if err := run(context.Background(), []string{"--help"}, mpsource.Program{}, "nb.ipynb", &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "-workers N") {
		t.Errorf("error %v, help %s", err, help.String())
	}
}
