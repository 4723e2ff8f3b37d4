package cluster

// PretendOtherBuild makes c a Cluster of another build of the program, before it has workers.
func PretendOtherBuild(c *Cluster) { c.build[0] ^= 1 }
