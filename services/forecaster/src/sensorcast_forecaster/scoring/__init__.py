"""Every stored forecast, compared with what came once its horizon has passed."""
