"""The shell: worker, committer, action pipeline, sweeper and relay around the pure core."""
