// Package clusterworker has the main function of the programs that perijove build --worker
// makes. Such a program joins a NATS server and runs the tasks of a notebook's functions.
package clusterworker

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/nats-io/nats.go"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/cluster/internal/servers"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// Main runs a worker program until it gets the signal SIGINT or SIGTERM, and exits. source
// is an mpsource.Program in JSON with the hashes of the program's functions, and notebook is
// the name of the notebook's file.
func Main(source, notebook string) {
	var p mpsource.Program
	if err := json.Unmarshal([]byte(source), &p); err != nil {
		panic(err) // the program was not made by perijove
	}
	p.Layout = mpsource.Layout()
	mpsource.Set(mpsource.NewTable(p))
	mp.Init()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], p, notebook, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

type options struct {
	url, token, name, creds, nkey, ca, cert, key string

	workers int
}

func (o *options) flags(notebook string, out io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet("worker", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.url, "nats", "", "join the NATS server at `URL`, which has JetStream; several URLs are separated by commas")
	f.IntVar(&o.workers, "workers", mp.Cores(), "run `N` tasks at once, each in a child process")
	f.StringVar(&o.name, "name", "", "join the cluster `NAME`, as cluster.Name in the notebook (default \"perijove\")")
	f.StringVar(&o.token, "token", "", "the server's `TOKEN` (default: the environment variable NATS_TOKEN)")
	f.StringVar(&o.creds, "creds", "", "use the JWT credentials in `FILE`")
	f.StringVar(&o.nkey, "nkey", "", "use the nkey seed in `FILE`")
	f.StringVar(&o.ca, "tls-ca", "", "accept servers with certificates that those in `FILE` sign")
	f.StringVar(&o.cert, "tls-cert", "", "use the client certificate in `FILE`; needs -tls-key")
	f.StringVar(&o.key, "tls-key", "", "the client certificate's key is in `FILE`")
	f.Usage = func() {
		fmt.Fprintf(out, "This program runs the tasks of functions of the notebook %s.\nUsage: worker --nats URL [flags]\n", notebook)
		f.PrintDefaults()
	}
	return f
}

// cluster returns the options of cluster.Open.
func (o *options) cluster() ([]cluster.Option, error) {
	if o.token == "" {
		o.token = os.Getenv("NATS_TOKEN")
	}
	opts := []cluster.Option{cluster.URL(o.url), cluster.Token(o.token)}
	if o.name != "" {
		opts = append(opts, cluster.Name(o.name))
	}
	if o.creds != "" {
		opts = append(opts, cluster.Connection(nats.UserCredentials(o.creds)))
	}
	if o.nkey != "" {
		nkey, err := nats.NkeyOptionFromSeed(o.nkey)
		if err != nil {
			return nil, fmt.Errorf("worker: cannot read the seed of an nkey (option --nkey) from %s: %w", o.nkey, err)
		}
		opts = append(opts, cluster.Connection(nkey))
	}
	if o.ca != "" {
		opts = append(opts, cluster.Connection(nats.RootCAs(o.ca)))
	}
	if (o.cert == "") != (o.key == "") {
		return nil, errors.New("worker: only one of the options --tls-cert and --tls-key is given: a client certificate needs both")
	}
	if o.cert != "" {
		opts = append(opts, cluster.Connection(nats.ClientCert(o.cert, o.key)))
	}
	return opts, nil
}

func run(ctx context.Context, args []string, p mpsource.Program, notebook string, out io.Writer) error {
	var o options
	f := o.flags(notebook, out)
	if err := f.Parse(args); err != nil {
		return err
	}
	switch {
	case f.NArg() > 0:
		return fmt.Errorf("worker: the program takes only options, but the argument %q is none; --help lists the options", f.Arg(0))
	case o.url == "":
		return errors.New("worker: the URL of the NATS server is missing: write --nats URL; --help lists all options")
	}
	opts, err := o.cluster()
	if err != nil {
		return err
	}
	c, err := cluster.Open(ctx, opts...)
	if e, ok := errors.AsType[*servers.NoServerError](err); ok {
		e.Advice = "name another server with --nats"
		return e
	}
	if err != nil {
		return err
	}
	if err := c.Workers(o.workers); err != nil {
		return errors.Join(err, c.Close())
	}
	fmt.Fprintf(out, "worker: this program runs tasks of %s of %s, up to %d at once, from %s\n", functions(p), notebook, o.workers, c.URL())
	<-ctx.Done()
	return c.Close()
}

// functions returns the number of functions that the program offers, as text.
func functions(p mpsource.Program) string {
	n := 0
	for _, d := range p.Declarations {
		if d.Offered {
			n++
		}
	}
	if n == 1 {
		return "1 function"
	}
	return fmt.Sprintf("%d functions", n)
}
