locals {
  name         = "dev"
  zones        = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  nat_per_zone = false
  protected    = false

  nodes          = { min = 2, max = 4 }
  instance_types = ["t4g.large"]

  database         = "db.t4g.medium"
  database_replica = "db.t4g.medium"
  multi_az         = false
  backup_days      = 3

  cache          = "cache.t4g.small"
  cache_shards   = 1
  cache_replicas = 0

  broker             = "kafka.t3.small"
  broker_storage_gib = 20

  # By `aws eks describe-addon-versions --kubernetes-version 1.35`, when the cluster is first made and at each upgrade.
  addons = { vpc-cni = null, coredns = null, kube-proxy = null, eks-pod-identity-agent = null }
}
