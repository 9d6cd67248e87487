locals {
  name         = "prod"
  zones        = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  nat_per_zone = true
  protected    = true

  nodes          = { min = 3, max = 12 }
  instance_types = ["m7g.xlarge"]

  database         = "db.m7g.large"
  database_replica = "db.m7g.large"
  multi_az         = true
  backup_days      = 14

  cache          = "cache.r7g.large"
  cache_shards   = 3
  cache_replicas = 1

  broker             = "kafka.m7g.large"
  broker_storage_gib = 200

  # By `aws eks describe-addon-versions --kubernetes-version 1.35`, when the cluster is first made and at each upgrade.
  addons = { vpc-cni = null, coredns = null, kube-proxy = null, eks-pod-identity-agent = null }
}
