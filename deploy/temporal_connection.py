"""How to reach Temporal, as its SDK's own environment variables and configuration file say."""

from temporalio.envconfig import ClientConfig, ClientConnectConfig

from deploy.settings import SettingsInvalid


def connection() -> ClientConnectConfig:
    """The arguments of ``Client.connect``.

    Raises:
        SettingsInvalid: nothing says where Temporal is.
        RuntimeError: the SDK cannot use what is set.
    """
    found = ClientConfig.load_client_connect_config()
    if not found.get("target_host"):
        raise SettingsInvalid(reason="TEMPORAL_ADDRESS: it is not set (HOST:PORT)")
    return found
